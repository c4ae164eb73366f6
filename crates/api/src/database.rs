//! The connections of this program to the database, by the names under which the database shows them.

use std::sync::Arc;

use techsupport_application::{Ports, ports::Passwords};
use techsupport_bootstrap::ids;
use techsupport_persistence::{Database, DatabaseSettings};

use crate::ApiSettings;

/// Those for requests. The broker and the log know the program by this name, too.
pub(crate) const NAME: &str = "techsupport-api";

/// Those of sweep, relay, feed and of the one that forgets.
pub(crate) const BACKGROUND: &str = "techsupport-api-background";

/// Those over which dead letters are kept.
pub(crate) const DEAD_LETTERS: &str = "techsupport-api-dead-letters";

/// The one that hears what other processes commit.
pub(crate) const LISTENER: &str = "techsupport-api-listener";

/// The one for putting dead letters back.
pub(crate) const REPLAY: &str = "techsupport-api-replay";

/// The one that looks for ended sessions.
pub(crate) const SESSIONS: &str = "techsupport-api-sessions";

/// The one that keeps the sums of imported tickets.
pub(crate) const SUMS: &str = "techsupport-api-sums";

/// Connections that nobody else uses.
pub(crate) fn connections(settings: &ApiSettings, pool_size: u32, name: &str) -> Database {
    Database::connect(&DatabaseSettings { pool_size, ..settings.database.clone() }, name)
}

/// What use cases need, over these connections.
pub(crate) fn ports_of(database: &Database, passwords: &Arc<dyn Passwords>) -> Arc<Ports> {
    Arc::new(Ports {
        work: database.unit_of_work(),
        reader: database.reader(),
        reports: database.reports(),
        passwords: Arc::clone(passwords),
        new_id: ids::new_id,
        random: ids::random,
    })
}
