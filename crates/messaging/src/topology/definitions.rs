//! What `deploy/` loads into a broker is what the program would declare there itself. Were it not, every declaration
//! would be refused, and nothing could be published.

#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{Map, Value, json};

use super::*;

const FILE: &str = include_str!("../../../../deploy/rabbitmq/definitions.json");
const SETTINGS: &str = include_str!("../../../../config/base.toml");

/// The default settings, which have no address.
fn defaults() -> BrokerSettings {
    let file: toml::Table = toml::from_str(SETTINGS).unwrap();
    let mut broker = file["broker"].clone();
    broker.as_table_mut().unwrap().insert("url".into(), "amqp://broker".into());
    broker.try_into().unwrap()
}

/// In definitions numbers have no size, which RabbitMQ does not compare either.
#[expect(clippy::wildcard_enum_match_arm)]
fn as_json(arguments: &FieldTable) -> Value {
    let value = |value: &AMQPValue| match value {
        AMQPValue::LongString(text) => json!(text.to_string()),
        AMQPValue::LongInt(number) => json!(number),
        AMQPValue::LongLongInt(number) => json!(number),
        other => panic!("an argument of a new kind: {other:?}"),
    };
    let pairs = arguments.inner().iter().map(|(key, each)| (key.to_string(), value(each)));
    Value::Object(pairs.collect::<Map<_, _>>())
}

fn queue(name: &str, arguments: &FieldTable) -> Value {
    json!({
        "name": name, "vhost": "/", "durable": true, "auto_delete": false, "arguments": as_json(arguments),
    })
}

fn expected(topology: &Topology) -> Value {
    let (mut queues, mut bindings) = (Vec::new(), Vec::new());
    for set in Subscription::ALL.map(|each| topology.of(each)) {
        queues.push(queue(&set.dead_letters, &topology.dead_letter_arguments()));
        queues.extend(
            set.retries.iter().map(|retry| queue(&retry.name, &topology.retry_arguments(set, retry))),
        );
        queues.push(queue(&set.main, &topology.main_arguments(set)));
        bindings.push(json!({
            "source": topology.exchange(), "vhost": "/", "destination": set.main, "destination_type": "queue",
            "routing_key": set.subscription.binding(), "arguments": {},
        }));
    }
    json!({
        "vhosts": [{"name": "/"}],
        "exchanges": [{
            "name": topology.exchange(), "vhost": "/", "type": "topic", "durable": true, "auto_delete": false,
            "internal": false, "arguments": {},
        }],
        "queues": queues,
        "bindings": bindings,
    })
}

#[test]
fn the_definitions_in_deploy_are_what_the_program_declares() {
    let expected = expected(&Topology::new(&defaults()));
    let found: Value = serde_json::from_str(FILE).unwrap();
    assert_eq!(
        serde_json::to_string_pretty(&found).unwrap(),
        serde_json::to_string_pretty(&expected).unwrap(),
        "deploy/rabbitmq/definitions.json should be the second one"
    );
}
