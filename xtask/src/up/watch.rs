//! The ticket that is about to breach while one watches.

use std::time::Duration;

use techsupport_application::demo::add_ticket_to_watch;
use techsupport_application::{AppError, Entity};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::desk::Desk;
use crate::error::{Error, Result};

/// Long enough to read the greeting.
const LEFT: Duration = Duration::from_secs(30);

/// What the greeting says about it.
pub(crate) struct Watched {
    pub(crate) id: String,
    pub(crate) number: String,
    /// Time of day, UTC.
    pub(crate) breaches_at: String,
}

impl Watched {
    /// Opens it. `None` when there is no VIP client to open it for.
    pub(crate) fn add(desk: &Desk) -> Result<Option<Self>> {
        let ticket = match add_ticket_to_watch(desk.ctx(), LEFT) {
            Err(AppError::NotFound(Entity::Client)) => return Ok(None),
            outcome => outcome.map_err(Error::desk("opening a ticket to watch"))?,
        };
        Ok(Some(Self {
            id: ticket.id.to_string(),
            number: ticket.number.to_string(),
            breaches_at: ticket.next_step_at().map(time_of_day).unwrap_or_default(),
        }))
    }
}

fn time_of_day(at: OffsetDateTime) -> String {
    at.format(format_description!("[hour]:[minute]:[second]")).unwrap_or_default()
}
