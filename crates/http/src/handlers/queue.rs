//! How much there is to do behind the scenes, for administrators.

use std::sync::Arc;

use actix_web::HttpResponse;
use serde::Serialize;
use techsupport_application::{
    dead_letters::{self, QUEUES},
    ports::{BrokerQueue, QueueFigures},
};
use utoipa::ToSchema;

use crate::{
    inbound::Inbound,
    openapi::{Operation, Tag, terms},
    problem::{Kind, Problem},
    routes::Answer,
};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = QueueStats)]
struct StatsDto {
    #[schema(required, schema_with = terms::queue_waiting)]
    waiting: u64,
    #[schema(required, schema_with = terms::queue_active)]
    active: u64,
    #[schema(required, schema_with = terms::queue_completed)]
    completed: u64,
    #[schema(required, schema_with = terms::queue_failed)]
    failed: u64,
    #[schema(required, schema_with = terms::queue_dead)]
    dead_letter: u64,
    queues: Vec<QueueDto>,
    outbox: OutboxDto,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Queue)]
struct QueueDto {
    #[schema(required, schema_with = terms::queue_told)]
    name: &'static str,
    #[schema(required, schema_with = terms::queue_ready)]
    ready: u64,
    #[schema(required, schema_with = terms::queue_consumers)]
    consumers: u64,
    #[schema(required, schema_with = terms::queue_dead)]
    dead_letter: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OutboxStats)]
struct OutboxDto {
    #[schema(required, schema_with = terms::outbox_pending)]
    pending: u64,
    #[schema(required, schema_with = terms::outbox_oldest)]
    oldest_age_seconds: u64,
}

/// Puts together what both know.
fn stats(database: &QueueFigures, broker: &[BrokerQueue]) -> StatsDto {
    let pending = whole(database.outbox_pending);
    let stored: u64 = database.dead.iter().map(|(_, dead)| whole(*dead)).sum();
    let stored_of = |name: &str| {
        let found = database.dead.iter().find(|(queue, _)| queue == name);
        found.map_or(0, |(_, dead)| whole(*dead))
    };
    let queue = |queue: &BrokerQueue| QueueDto {
        name: queue.name,
        ready: queue.ready,
        consumers: queue.consumers.into(),
        dead_letter: stored_of(queue.name) + queue.uncollected,
    };
    StatsDto {
        waiting: broker.iter().map(|queue| queue.ready).sum::<u64>() + pending,
        active: whole(database.active),
        completed: whole(database.completed),
        failed: whole(database.failed),
        dead_letter: stored + broker.iter().map(|queue| queue.uncollected).sum::<u64>(),
        queues: broker.iter().map(queue).collect(),
        outbox: OutboxDto { pending, oldest_age_seconds: seconds(database.outbox_oldest_seconds) },
    }
}

/// Nothing that is counted is below zero.
fn whole(count: i64) -> u64 {
    count.try_into().unwrap_or(0)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
const fn seconds(age: f64) -> u64 {
    age as u64
}

/// `GET /api/queue/stats`
pub(crate) async fn show(inbound: Inbound) -> Answer {
    // Known at once: nobody has to wait in vain for a broker that is away, and hold a place meanwhile.
    if !inbound.state().broker.is_up() {
        return Err(Problem::new(Kind::Unavailable, "the broker cannot be reached"));
    }
    let queues = Arc::clone(&inbound.state().queues);
    let figures = inbound.run(move |ctx| dead_letters::queue_figures(ctx, queues.as_ref())).await;
    figures.map(|(database, broker)| HttpResponse::Ok().json(stats(&database, &broker)))
}

pub(crate) fn show_docs() -> Operation {
    let [name, ..] = QUEUES;
    let broker = [BrokerQueue { name, ready: 12, consumers: 2, uncollected: 0 }];
    let database = QueueFigures {
        active: 5,
        completed: 48_211,
        failed: 1,
        dead: vec![(name.to_owned(), 3)],
        outbox_pending: 4,
        outbox_oldest_seconds: 0.4,
    };
    Operation::new("showQueueStats", Tag::Queue, "How much waits, is being done, was done and was given up")
        .about(
            "Figures of database and broker together, read one after the other while everything goes on: a message that \
             moves meanwhile may be counted twice or not at all. What a consumer has just taken from a queue is counted \
             nowhere until its delivery or its import begins. A queue that the broker does not have counts as empty, and so does one \
             that does not answer the broker within a quarter of a second. Where the broker cannot be asked, the answer is 503.",
        )
        .answers(200, "Figures.", Some(stats(&database, &broker)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_in_parts_adds_up() {
        let queue = |name, ready, uncollected| BrokerQueue { name, ready, consumers: 1, uncollected };
        let broker = [queue("sla-events", 3, 2), queue("webhook-events", 40, 0)];
        let dead = vec![("sla-events".to_owned(), 7), ("of-a-release-before".to_owned(), 1)];
        let database = QueueFigures {
            active: 1,
            completed: 2,
            failed: 3,
            dead,
            outbox_pending: 100,
            outbox_oldest_seconds: 59.9,
        };
        let stats = stats(&database, &broker);
        assert_eq!((stats.waiting, stats.active, stats.completed, stats.failed), (143, 1, 2, 3));
        assert_eq!(stats.dead_letter, 10, "also of a queue that is no more");
        let of_queues: Vec<_> =
            stats.queues.iter().map(|queue| (queue.name, queue.ready, queue.dead_letter)).collect();
        assert_eq!(of_queues, [("sla-events", 3, 9), ("webhook-events", 40, 0)]);
        assert_eq!((stats.outbox.pending, stats.outbox.oldest_age_seconds), (100, 59));
    }
}
