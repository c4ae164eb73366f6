//! What is told of imports.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Data of `pro.techsupport.import.requested.v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportRequestedV1 {
    /// The import, under the name it has in the API.
    pub process_id: Uuid,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};
    use techsupport_domain::{EventId, ImportId};
    use time::macros::datetime;

    use super::*;
    use crate::{TraceContext, events::describe_import};

    /// The contract, to the letter.
    #[test]
    fn a_request_for_an_import() {
        let (import, event) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let trace = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        let at = datetime!(2026-02-12 20:45:23.123 UTC);
        let message = describe_import(ImportId::new(import), at, EventId::new(event), trace).unwrap();
        let body: Value = serde_json::from_str(&message.body).unwrap();
        assert_eq!(
            body,
            json!({
                "specversion": "1.0",
                "id": "00000000-0000-0000-0000-000000000002",
                "source": "/techsupport-pro",
                "type": "pro.techsupport.import.requested.v1",
                "subject": "00000000-0000-0000-0000-000000000001",
                "time": "2026-02-12T20:45:23.123Z",
                "datacontenttype": "application/json",
                "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "data": {"processId": "00000000-0000-0000-0000-000000000001"},
            })
        );
        assert_eq!(message.event_type.routing_key(), "import.requested.v1");
    }
}
