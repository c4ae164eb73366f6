//! What happened to a demo ticket so far.

use techsupport_domain::{
    Agent, Client,
    sla::{Metric, Policy},
    text::Title,
    ticket::{Decision, Priority, Status, Tags, Ticket, TicketEvent},
};
use time::{Duration, OffsetDateTime};

use super::Chance;
use crate::AppError;

/// What tickets are about, and how they are tagged.
const SUBJECTS: [(&str, &[&str]); 10] = [
    ("Cannot sign in since this morning", &["access"]),
    ("Invoice shows the wrong amount", &["billing"]),
    ("Printer on the second floor is offline", &["hardware", "printer"]),
    ("Report does not finish", &["reports"]),
    ("Mail arrives hours late", &["mail"]),
    ("VPN drops every ten minutes", &["network", "vpn"]),
    ("New colleague needs access", &["access", "onboarding"]),
    ("Application is slow after the update", &[]),
    ("La impresora fiscal no responde", &["billing", "hardware", "printer"]),
    ("Data missing after the import", &["imports"]),
];

/// One act of a person.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    /// Give the ticket to this agent of the list.
    Assign(usize),
    /// Move it.
    Move(Status),
}

/// A demo ticket's life: who it is for, how old it is, and what was done with it.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) client: Client,
    pub(super) priority: Priority,
    pub(super) title: Title,
    pub(super) tags: Tags,
    pub(super) acts: Vec<Act>,
    /// How old the ticket is, in thousandths of what it may be.
    age: i32,
}

impl Plan {
    /// A quarter of the tickets are untouched, the others somewhere in their life.
    pub(super) fn draw(
        chance: &mut Chance<'_>,
        clients: &[Client],
        agents: &[Agent],
    ) -> Result<Self, AppError> {
        let client =
            chance.pick(clients).cloned().ok_or_else(|| AppError::internal("no clients to draw from"))?;
        let priority = i64::try_from(chance.below(4)).map_or(2, |below| below + 1);
        let (title, tags) = chance.pick(&SUBJECTS).copied().unwrap_or(("Demo", &[]));
        let lives: [&[Status]; 4] = [
            &[],
            &[Status::InProgress],
            &[Status::InProgress, Status::Waiting],
            &[Status::InProgress, Status::Resolved, Status::Closed],
        ];
        let life = chance.pick(&lives).copied().unwrap_or_default();
        let mut acts: Vec<Act> = life.iter().copied().map(Act::Move).collect();
        let agent = usize::try_from(chance.below(u64::try_from(agents.len()).unwrap_or(0))).unwrap_or(0);
        if !acts.is_empty() && agents.get(agent).is_some_and(|agent| agent.active) {
            acts.insert(0, Act::Assign(agent));
        }
        Ok(Self {
            client,
            priority: Priority::parse(priority).unwrap_or_default(),
            title: Title::parse(title).map_err(AppError::internal)?,
            tags: Tags::parse(tags.iter().copied()).map_err(AppError::internal)?,
            acts,
            age: i32::try_from(chance.below(900)).unwrap_or(0),
        })
    }

    /// Untouched tickets are younger than their target, so that nothing is overdue; the others up to
    /// thirty days old.
    pub(super) fn opened_at(&self, policy: &Policy, now: OffsetDateTime) -> OffsetDateTime {
        let oldest = if self.acts.is_empty() {
            policy.terms(Metric::FirstResponse).map_or(Duration::days(1), |terms| terms.target.duration())
        } else {
            Duration::days(30)
        };
        now - oldest * self.age / 1_000
    }

    /// The first acts follow within the target, if the ticket is old enough; never in the future.
    pub(super) fn act_at(&self, ticket: &Ticket, wave: usize) -> OffsetDateTime {
        let step =
            ticket.clocks.first().map_or(Duration::minutes(10), |clock| clock.terms.target.duration() / 10);
        let age = Duration::days(30) * self.age / 1_000;
        let wave = i32::try_from(wave).unwrap_or(0) + 1;
        ticket.created_at + (step * wave).min(age)
    }
}

impl Act {
    pub(super) fn perform(
        self,
        ticket: Ticket,
        agents: &[Agent],
        at: OffsetDateTime,
    ) -> Result<Decision<Ticket, TicketEvent>, AppError> {
        Ok(match self {
            Act::Assign(agent) => ticket.assign(agents.get(agent), at)?,
            Act::Move(to) => ticket.transition(to, at)?,
        })
    }
}
