//! Opens the tickets of a run.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use techsupport_application::demo::open_about_to_breach;
use techsupport_application::directory::{EnterClient, enter_client};
use techsupport_domain::text::{Company, Email, PersonName};
use techsupport_domain::{Client, ClientTier};

use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::progress;

/// All deadlines pass within this.
const WINDOW: Duration = Duration::from_secs(10);
/// With fewer tickets they are no farther apart than this.
const GREATEST_GAP: Duration = Duration::from_millis(50);
/// How many different deadlines there are at most.
const MOMENTS: u32 = 100;
/// An open ticket that is not to breach has this long, of the two hours of a VIP.
const FAR_OFF: Duration = Duration::from_mins(110);
/// A batch between two looks at the progress bar.
const CHUNK: u32 = 5_000;

/// Tickets that are going to breach.
pub(super) struct Deadlines {
    pub(super) tickets: BTreeSet<String>,
    pub(super) first: Instant,
    pub(super) last: Instant,
}

/// Enters a VIP client.
pub(super) fn client(desk: &Desk, name: &str) -> Result<Client> {
    let email = format!("{name}@example.com");
    let client = EnterClient {
        name: PersonName::parse(name).map_err(Error::malformed("a name"))?,
        email: Email::parse(email).map_err(Error::malformed("an e-mail address"))?,
        tier: ClientTier::Vip,
        company: Company::parse("Chaos").map_err(Error::malformed("a company"))?,
    };
    enter_client(desk.ctx(), &client).map_err(Error::desk("entering a client"))
}

/// Opens tickets that have a lot of time left.
pub(super) fn fill(desk: &Desk, client: &Client, count: u32) -> Result<()> {
    let bar = progress::bar("open tickets", count);
    let mut opened = 0;
    while opened < count {
        let size = CHUNK.min(count - opened);
        open_about_to_breach(desk.ctx(), client, size, FAR_OFF).map_err(Error::desk("opening tickets"))?;
        opened += size;
        bar.set_position(opened.into());
    }
    bar.finish_and_clear();
    Ok(())
}

/// Opens tickets whose deadlines follow each other evenly, the first one after all of them are open.
pub(super) fn spread(desk: &Desk, client: &Client, count: u32) -> Result<Deadlines> {
    let bar = progress::bar("tickets to breach", count);
    let window = WINDOW.min(GREATEST_GAP * count);
    let first = Instant::now() + Duration::from_secs(3) + Duration::from_millis(4) * count;
    let moments = MOMENTS.min(count).max(1);
    let mut tickets = BTreeSet::new();
    for moment in 0..moments {
        let due = first + window * moment / moments;
        // The remainder goes to the first ones.
        let size = count / moments + u32::from(moment < count % moments);
        let left = due.saturating_duration_since(Instant::now()).max(Duration::from_millis(100));
        let opened = open_about_to_breach(desk.ctx(), client, size, left);
        tickets.extend(
            opened.map_err(Error::desk("opening tickets"))?.iter().map(|ticket| ticket.id.to_string()),
        );
        bar.inc(size.into());
    }
    bar.finish_and_clear();
    Ok(Deadlines { tickets, first, last: first + window })
}
