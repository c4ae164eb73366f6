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
