//! Only what reached a queue counts as published.

use std::time::{Duration, Instant};

use lapin::{options::ExchangeDeleteOptions, types::FieldTable};
use techsupport_application::{
    AppError,
    events::{EventType, OutboxMessage},
};
use techsupport_messaging::{Subscription, Topology};
use techsupport_tests::{LIMIT, Proxy, TestBroker, eventually};

use super::{Post, TRACEPARENT, event};

#[test]
fn an_event_reaches_every_queue_that_wants_it_with_all_its_properties() {
    let post = Post::open(None);
    let breach = event(EventType::SlaBreached);
    assert_eq!(post.publish(std::slice::from_ref(&breach)).unwrap().published, [breach.id]);
    for subscription in [Subscription::SlaEvents, Subscription::WebhookEvents] {
        let message = post.broker.take(&Topology::new(&post.settings).of(subscription).main);
        let properties = &message.properties;
        assert_eq!(properties.message_id().as_ref().unwrap().as_str(), breach.id.to_string());
        assert_eq!(properties.kind().as_ref().unwrap().as_str(), "pro.techsupport.sla.breached.v1");
        assert_eq!(properties.content_type().as_ref().unwrap().as_str(), "application/cloudevents+json");
        assert_eq!(properties.delivery_mode(), &Some(2));
        assert_eq!(properties.timestamp().unwrap(), u64::try_from(breach.at.unix_timestamp()).unwrap());
        assert_eq!(TestBroker::header(&message, "traceparent").as_deref(), Some(TRACEPARENT));
        assert_eq!(message.data, breach.body.as_bytes());
    }
}

#[test]
fn every_type_of_event_has_a_queue() {
    let post = Post::open(None);
    let batch = EventType::ALL.map(event);
    assert_eq!(post.publish(&batch).unwrap().published.len(), batch.len());
}

/// lapin attaches returns to confirms by position: in a long pipelined batch, to the wrong ones.
#[test]
fn a_returned_message_never_counts_as_published() {
    let post = Post::open(None);
    let webhooks = Topology::new(&post.settings).of(Subscription::WebhookEvents).main.clone();
    let exchange = format!("{}.events", post.broker.prefix());
    post.broker.run(async |channel| {
        let (queue, exchange) = (webhooks.as_str().into(), exchange.as_str().into());
        channel.queue_unbind(queue, exchange, "#".into(), FieldTable::default()).await.unwrap();
    });
    for round in 0..4 {
        let nobody_wants = |n| n % 700 == round;
        let kind = |n| if nobody_wants(n) { EventType::TicketCreated } else { EventType::SlaWarning };
        let batch: Vec<OutboxMessage> = (0..2_000).map(|n| event(kind(n))).collect();
        let report = post.publish(&batch).unwrap();
        let unwanted = batch.iter().filter(|message| message.event_type == EventType::TicketCreated);
        let unwanted: Vec<_> = unwanted.map(|message| message.id).collect();
        assert_eq!(report.failed.iter().map(|failure| failure.event).collect::<Vec<_>>(), unwanted);
        assert!(report.failed[0].reason.contains("NO_ROUTE"), "{:?}", report.failed[0]);
        assert_eq!(report.published.len(), batch.len() - unwanted.len());
    }
}

/// Why nothing can be published.
fn why_unavailable(post: &Post) -> String {
    match post.publish(&[event(EventType::SlaBreached)]) {
        Err(AppError::Unavailable { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_broker_that_says_nothing_is_given_up() {
    let way = Proxy::to_broker();
    let post = Post::open_with(Some(&way), |settings| {
        settings.confirm_timeout_ms = 2_000;
        // Missing heartbeats would tell as well.
        settings.heartbeat_s = 60;
    });
    way.stall();
    assert_eq!(why_unavailable(&post), "broker: the broker did not confirm within 2000 ms");
    way.heal();
    eventually("it works again", || post.publish(&[event(EventType::SlaBreached)]).is_ok());
}

#[test]
fn a_broker_that_is_down_costs_no_time() {
    let way = Proxy::to_broker();
    // At least a second lies between two tries to connect again: whoever waited for the next one each time would take
    // 100 seconds.
    let post = Post::open_with(Some(&way), |settings| {
        settings.reconnect_min_ms = 2_000;
        settings.reconnect_max_ms = 2_000;
    });
    way.cut();
    eventually("the loss is noticed", || !post.publisher.is_connected());
    let refusals = [(); 100].map(|()| {
        let since = Instant::now();
        let reason = why_unavailable(&post);
        assert!(!reason.contains("did not confirm"), "{reason}");
        since.elapsed()
    });
    assert!(refusals.iter().sum::<Duration>() < LIMIT, "{refusals:?}");
    assert!(refusals.iter().min() < Some(&Duration::from_millis(100)), "{refusals:?}");
    way.heal();
    post.await_connection();
    post.publish(&[event(EventType::SlaBreached)]).unwrap();
}

#[test]
fn what_is_deleted_is_declared_again() {
    let post = Post::open(None);
    let exchange = format!("{}.events", post.broker.prefix());
    post.broker.run(async |channel| {
        channel.exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default()).await.unwrap();
    });
    post.publish(&[event(EventType::SlaBreached)]).unwrap_err();
    eventually("it works again", || post.publish(&[event(EventType::SlaBreached)]).is_ok());
}
