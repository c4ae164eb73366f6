//! Publishing a batch and finding out what became of each message.
//!
//! A message that no queue wants is confirmed like any other; only a separate return tells. lapin hands
//! returns out with confirms by position, so in a pipelined batch a return can come with the confirm of
//! another message. Therefore: await the whole batch, then subtract every returned message from it. It is known by
//! where it went and by its id: the same message may be put back into two queues at once.

use std::{collections::HashMap, time::Duration};

use lapin::{Channel, Confirmation, message::BasicReturnMessage, options::BasicPublishOptions};
use tokio::time::timeout;

use crate::outgoing::Outgoing;

/// What became of one message.
pub(crate) type Fate = Result<(), String>;

/// Nothing is known of any message of the batch, and the connection cannot be trusted any more.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum BatchError {
    #[error("the broker did not confirm within {} ms", .0.as_millis())]
    Timeout(Duration),
    #[error("{0}")]
    Broker(#[from] lapin::Error),
    #[error("the broker returned a message that was not sent")]
    Stray,
}

/// Publishes all, pipelined, and waits for every confirm. The channel must be in confirm mode and serve
/// nobody else meanwhile. One fate for each message, in order.
pub(crate) async fn publish_batch(
    channel: &Channel,
    batch: &[Outgoing],
    limit: Duration,
) -> Result<Vec<Fate>, BatchError> {
    let publishing = async {
        let mut pending = Vec::with_capacity(batch.len());
        for message in batch {
            pending.push(publish(channel, message).await?);
        }
        let mut confirmations = Vec::with_capacity(batch.len());
        for confirm in pending {
            confirmations.push(confirm.await?);
        }
        Ok::<_, lapin::Error>(confirmations)
    };
    let confirmations = timeout(limit, publishing).await.map_err(|_| BatchError::Timeout(limit))??;
    let sent: Vec<Sent<'_>> =
        batch.iter().map(|message| (message.routing_key.as_str(), message.id.as_str())).collect();
    fates(&sent, confirmations)
}

async fn publish(channel: &Channel, message: &Outgoing) -> lapin::Result<lapin::PublisherConfirm> {
    let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    channel
        .basic_publish(
            message.exchange.as_str().into(),
            message.routing_key.as_str().into(),
            mandatory,
            &message.body,
            message.properties.clone(),
        )
        .await
}

/// Routing key and id of a message.
type Sent<'a> = (&'a str, &'a str);

/// The fate of each message of a batch, given its confirmations in the same order.
fn fates(sent: &[Sent<'_>], confirmations: Vec<Confirmation>) -> Result<Vec<Fate>, BatchError> {
    let mut returned: HashMap<Sent<'_>, String> = HashMap::new();
    let mut fates: Vec<Fate> = Vec::with_capacity(sent.len());
    for confirmation in confirmations {
        let (fate, message) = match confirmation {
            Confirmation::Ack(message) => (Ok(()), message),
            Confirmation::Nack(message) => (Err("the broker refused it (nack)".to_owned()), message),
            Confirmation::NotRequested => (Err("the channel was not in confirm mode".to_owned()), None),
        };
        fates.push(fate);
        if let Some(message) = message {
            let id = message.properties.message_id().as_ref().ok_or(BatchError::Stray)?;
            let which = (message.routing_key.as_str(), id.as_str());
            let which = sent.iter().copied().find(|each| *each == which).ok_or(BatchError::Stray)?;
            returned.insert(which, reason(&message));
        }
    }
    for (which, fate) in sent.iter().zip(&mut fates) {
        if let Some(reason) = returned.get(which) {
            *fate = Err(reason.clone());
        }
    }
    Ok(fates)
}

fn reason(message: &BasicReturnMessage) -> String {
    format!("no queue took it ({} {})", message.reply_code, message.reply_text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use lapin::{BasicProperties, message::Delivery};

    use super::*;

    fn returned(from: &str, id: Option<&str>) -> BasicReturnMessage {
        let mut delivery = Delivery::mock(0, "".into(), from.into(), false, vec![]);
        if let Some(id) = id {
            delivery.properties = BasicProperties::default().with_message_id(id.into());
        }
        BasicReturnMessage { delivery, reply_code: 312, reply_text: "NO_ROUTE".into() }
    }

    #[test]
    fn a_return_counts_against_its_own_message_wherever_it_arrives() {
        let confirmations = vec![
            Confirmation::Ack(None),
            Confirmation::Ack(Some(returned("q", Some("c")))),
            Confirmation::Ack(None),
            Confirmation::Nack(Some(returned("q", Some("a")))),
        ];
        let fates = fates(&["a", "b", "c", "d"].map(|id| ("q", id)), confirmations).unwrap();
        let no_route = Err("no queue took it (312 NO_ROUTE)".to_owned());
        let nack = Err("the broker refused it (nack)".to_owned());
        assert_eq!(fates, [no_route.clone(), Ok(()), no_route, nack]);
    }

    #[test]
    fn a_return_says_nothing_of_the_same_message_in_another_queue() {
        let confirmations = vec![Confirmation::Ack(Some(returned("q", Some("a")))), Confirmation::Ack(None)];
        let fates = fates(&[("p", "a"), ("q", "a")], confirmations).unwrap();
        assert!(fates[0].is_ok() && fates[1].is_err(), "{fates:?}");
    }

    #[test]
    fn an_unconfirmed_message_is_not_published() {
        assert!(fates(&[("q", "a")], vec![Confirmation::NotRequested]).unwrap()[0].is_err());
    }

    #[test]
    fn a_return_that_belongs_to_no_message_makes_the_whole_batch_uncertain() {
        for stray in [returned("q", Some("z")), returned("p", Some("a")), returned("q", None)] {
            assert!(matches!(
                fates(&[("q", "a")], vec![Confirmation::Ack(Some(stray))]),
                Err(BatchError::Stray)
            ));
        }
    }
}
