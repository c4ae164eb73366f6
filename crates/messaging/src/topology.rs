//! What exists at the broker.
//!
//! One topic exchange takes every event. Each subscription has a quorum queue of its own, a retry path and a
//! dead-letter queue:
//!
//! - A message that has to wait is copied into one of the retry queues. Nobody consumes those: each lets its
//!   messages expire after a fixed time, straight back into the main queue. One delay for each queue, because
//!   a queue expires its messages only at the head. The delay is part of the name, so that changed settings
//!   make new queues and never clash with the arguments of old ones; what is left in an old one comes home.
//! - A message that is given up is copied into the dead-letter queue with its reason. The broker puts it there
//!   by itself only when the delivery limit is reached.
//!
//! Dead-lettering is at-least-once everywhere, which `x-overflow: reject-publish` is a condition of. The
//! arguments mean the same on RabbitMQ 3.10 and 4.x.

use std::time::Duration;

use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, LongString},
};

use crate::settings::BrokerSettings;

/// 4.x limits the deliveries of every quorum queue to 20 unless told otherwise, and a message an administrator
/// has looked at that often must not vanish from the dead-letter queue. There is no value for "unlimited"
/// that 3.10 does not take for zero.
const PRACTICALLY_UNLIMITED: i32 = 1_000_000_000;

/// Who reads events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subscription {
    /// Warnings and breaches, for the channels that tell people.
    SlaEvents,
    /// Every event, for webhooks. Because it takes all, no event is without a queue.
    WebhookEvents,
    /// Imports that were asked for.
    TicketImports,
}

impl Subscription {
    /// Every subscription.
    pub const ALL: [Subscription; 3] =
        [Subscription::SlaEvents, Subscription::WebhookEvents, Subscription::TicketImports];

    /// Its name, which its queue has too when the prefix is the default one.
    pub const fn name(self) -> &'static str {
        match self {
            Subscription::SlaEvents => "sla-events",
            Subscription::WebhookEvents => "webhook-events",
            Subscription::TicketImports => "ticket-imports",
        }
    }

    /// Which routing keys it wants.
    const fn binding(self) -> &'static str {
        match self {
            Subscription::SlaEvents => "sla.#",
            Subscription::WebhookEvents => "#",
            Subscription::TicketImports => "import.#",
        }
    }
}

/// The names of everything at the broker.
#[derive(Debug, Clone)]
pub struct Topology {
    exchange: String,
    sla_events: QueueSet,
    webhook_events: QueueSet,
    ticket_imports: QueueSet,
    delivery_limit: i32,
    max_length: i64,
}

/// A subscription's queues.
#[derive(Debug, Clone)]
pub struct QueueSet {
    subscription: Subscription,
    /// Where the events arrive.
    pub main: String,
    /// Where they wait, shortest delay first. Never empty, but for those who consume dead letters.
    pub retries: Vec<RetryQueue>,
    /// Where they end.
    pub dead_letters: String,
}

/// A queue whose messages go back to the main one after a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryQueue {
    /// Its name.
    pub name: String,
    /// How long they stay.
    pub delay: Duration,
}

impl Topology {
    /// The prefix with which queues have bare names.
    const DEFAULT_PREFIX: &'static str = "techsupport";

    /// What these settings ask for.
    pub fn new(settings: &BrokerSettings) -> Self {
        Self {
            exchange: format!("{}.events", settings.prefix),
            sla_events: QueueSet::new(Subscription::SlaEvents, settings),
            webhook_events: QueueSet::new(Subscription::WebhookEvents, settings),
            ticket_imports: QueueSet::new(Subscription::TicketImports, settings),
            delivery_limit: i32::try_from(settings.delivery_limit).unwrap_or(PRACTICALLY_UNLIMITED),
            max_length: settings.max_queue_length.into(),
        }
    }

    /// The exchange every event is published to.
    pub fn exchange(&self) -> &str {
        &self.exchange
    }

    /// A subscription's queues.
    pub fn of(&self, subscription: Subscription) -> &QueueSet {
        match subscription {
            Subscription::SlaEvents => &self.sla_events,
            Subscription::WebhookEvents => &self.webhook_events,
            Subscription::TicketImports => &self.ticket_imports,
        }
    }

    /// Makes sure that all of it exists. Safe to repeat and to race.
    pub(crate) async fn declare(&self, channel: &Channel) -> lapin::Result<()> {
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        channel
            .exchange_declare(
                self.exchange.as_str().into(),
                ExchangeKind::Topic,
                durable,
                FieldTable::default(),
            )
            .await?;
        for set in Subscription::ALL.map(|each| self.of(each)) {
            // The main queue comes last: whoever sees it can rely on the way out of it.
            declare_queue(channel, &set.dead_letters, self.dead_letter_arguments()).await?;
            for retry in &set.retries {
                declare_queue(channel, &retry.name, self.retry_arguments(set, retry)).await?;
            }
            declare_queue(channel, &set.main, self.main_arguments(set)).await?;
            channel
                .queue_bind(
                    set.main.as_str().into(),
                    self.exchange.as_str().into(),
                    set.subscription.binding().into(),
                    QueueBindOptions::default(),
                    FieldTable::default(),
                )
                .await?;
        }
        Ok(())
    }

    fn main_arguments(&self, set: &QueueSet) -> FieldTable {
        let mut arguments = self.quorum(self.delivery_limit);
        dead_letter_to(&mut arguments, &set.dead_letters);
        arguments
    }

    fn retry_arguments(&self, set: &QueueSet, retry: &RetryQueue) -> FieldTable {
        let mut arguments = self.quorum(PRACTICALLY_UNLIMITED);
        dead_letter_to(&mut arguments, &set.main);
        let delay = i64::try_from(retry.delay.as_millis()).unwrap_or(i64::MAX);
        arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(delay));
        arguments
    }

    fn dead_letter_arguments(&self) -> FieldTable {
        self.quorum(PRACTICALLY_UNLIMITED)
    }

    fn quorum(&self, delivery_limit: i32) -> FieldTable {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), text("quorum"));
        arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(delivery_limit));
        arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(self.max_length));
        arguments.insert("x-overflow".into(), text("reject-publish"));
        arguments
    }
}

impl QueueSet {
    fn new(subscription: Subscription, settings: &BrokerSettings) -> Self {
        let main = if settings.prefix == Topology::DEFAULT_PREFIX {
            subscription.name().to_owned()
        } else {
            format!("{}.{}", settings.prefix, subscription.name())
        };
        let retries = settings
            .retry_delays_ms
            .iter()
            .map(|delay| RetryQueue {
                name: format!("{main}.retry.{delay}ms"),
                delay: Duration::from_millis((*delay).into()),
            })
            .collect();
        Self { subscription, dead_letters: format!("{main}.dlq"), retries, main }
    }

    /// For those who consume what lies in the dead-letter queue: there is no way out of it.
    pub(crate) fn of_dead_letters(&self) -> Self {
        Self { main: self.dead_letters.clone(), retries: Vec::new(), ..self.clone() }
    }

    /// The queue with the longest delay that is at most `wait`, or the one with the shortest. Never much too
    /// long: whoever comes back too early is sent round again, for what is left.
    pub(crate) fn retry_within(&self, wait: Duration) -> Option<&RetryQueue> {
        self.retries.iter().rfind(|retry| retry.delay <= wait).or(self.retries.first())
    }
}

async fn declare_queue(channel: &Channel, name: &str, arguments: FieldTable) -> lapin::Result<()> {
    channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments).await?;
    Ok(())
}

/// Through the default exchange, whose routing key is a queue's name.
fn dead_letter_to(arguments: &mut FieldTable, queue: &str) {
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(queue));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

#[cfg(test)]
mod definitions;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::settings::tests::settings;

    fn sla_events(topology: &Topology) -> &QueueSet {
        topology.of(Subscription::SlaEvents)
    }

    #[expect(clippy::wildcard_enum_match_arm)]
    fn lines(arguments: &FieldTable) -> Vec<String> {
        let line = |(key, value): (&lapin::types::ShortString, &AMQPValue)| match value {
            AMQPValue::LongString(text) => format!("{key} = {text}"),
            number => format!("{key} = {number:?}"),
        };
        arguments.inner().iter().map(line).collect()
    }

    #[test]
    fn the_default_prefix_leaves_queues_bare_and_another_one_owns_them() {
        let topology = Topology::new(&settings());
        assert_eq!(topology.exchange(), "techsupport.events");
        let names = Subscription::ALL.map(|each| topology.of(each).main.as_str());
        assert_eq!(names, ["sla-events", "webhook-events", "ticket-imports"]);

        let other = Topology::new(&BrokerSettings { prefix: "t7".into(), ..settings() });
        assert_eq!(other.exchange(), "t7.events");
        let set = sla_events(&other);
        assert_eq!((set.main.as_str(), set.dead_letters.as_str()), ("t7.sla-events", "t7.sla-events.dlq"));
        assert_eq!(set.retries[0].name, "t7.sla-events.retry.1000ms");
    }

    #[test]
    fn every_subscription_has_dead_letters() {
        let names = Subscription::ALL.map(Subscription::name);
        assert_eq!(names, techsupport_application::dead_letters::QUEUES);
        let topology = Topology::new(&settings());
        let dead = sla_events(&topology).of_dead_letters();
        assert_eq!(dead.main, "sla-events.dlq");
        assert!(dead.retry_within(Duration::ZERO).is_none(), "there is no way out of it");
    }

    #[test]
    fn a_wait_goes_into_the_longest_delay_that_does_not_exceed_it() {
        let topology = Topology::new(&settings());
        let chosen = |wait| sla_events(&topology).retry_within(Duration::from_millis(wait)).unwrap().delay;
        assert_eq!(chosen(0), Duration::from_secs(1), "shorter than any: the shortest");
        assert_eq!(chosen(1_000), Duration::from_secs(1));
        assert_eq!(chosen(4_999), Duration::from_secs(1));
        assert_eq!(chosen(5_000), Duration::from_secs(5));
        assert_eq!(chosen(30_000), Duration::from_secs(30));
        assert_eq!(chosen(3_600_000), Duration::from_secs(30), "longer than any: the longest");
    }

    #[test]
    fn dead_lettering_is_at_least_once_which_needs_reject_publish() {
        let topology = Topology::new(&settings());
        let set = sla_events(&topology);
        for arguments in [topology.main_arguments(set), topology.retry_arguments(set, &set.retries[0])] {
            let lines = lines(&arguments).join("\n");
            assert!(lines.contains("x-dead-letter-strategy = at-least-once"), "{lines}");
            assert!(lines.contains("x-overflow = reject-publish"), "{lines}");
            assert!(lines.contains("x-queue-type = quorum"), "{lines}");
        }
    }

    #[test]
    fn retries_expire_into_the_main_queue_and_limits_are_explicit() {
        let topology = Topology::new(&settings());
        let set = sla_events(&topology);
        let retry = lines(&topology.retry_arguments(set, &set.retries[1]));
        assert!(retry.contains(&"x-message-ttl = LongLongInt(5000)".to_owned()), "{retry:?}");
        assert!(retry.contains(&"x-dead-letter-routing-key = sla-events".to_owned()), "{retry:?}");
        let main = lines(&topology.main_arguments(set));
        assert!(main.contains(&"x-delivery-limit = LongInt(50)".to_owned()), "{main:?}");
        let dead = lines(&topology.dead_letter_arguments());
        assert!(dead.contains(&"x-delivery-limit = LongInt(1000000000)".to_owned()), "{dead:?}");
        assert!(!dead.iter().any(|line| line.contains("dead-letter")), "{dead:?}");
    }
}
