//! The audit log: who did what to whom, from where, and what came of it.

use std::net::IpAddr;

use serde_json::{Map, Value};
use techsupport_domain::{AgentId, ClientId, UnknownName, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Actor, AppError, Budget, Page, Paged};

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What is kept in the audit log.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum AuditAction {
            $($(#[$doc])* $variant,)+
        }

        impl AuditAction {
            /// All of them.
            pub const ALL: &'static [AuditAction] = &[$(AuditAction::$variant,)+];
            const NAMES: &'static [&'static str] = &[$($name,)+];

            /// As it is stored and shown.
            pub const fn name(self) -> &'static str {
                match self {
                    $(AuditAction::$variant => $name,)+
                }
            }
        }
    };
}

actions! {
    /// Somebody signed in, or tried to.
    Login = "LOGIN",
    /// Somebody tried to sign in too often. Not every such attempt is written down: see the throttle.
    LoginThrottled = "LOGIN_THROTTLED",
    /// A login was ended by its refresh token.
    Logout = "LOGOUT",
    /// A spent refresh token was presented, which ended the login.
    RefreshReuse = "REFRESH_REUSE",
    /// A user ended one of the own logins.
    SessionRevoked = "SESSION_REVOKED",
    /// A user changed the own password, or tried to.
    PasswordChanged = "PASSWORD_CHANGED",
    /// A user was registered.
    UserRegistered = "USER_REGISTERED",
    /// A user was given another role.
    RoleChanged = "ROLE_CHANGED",
    /// A user may sign in again.
    UserActivated = "USER_ACTIVATED",
    /// A user may not sign in any more.
    UserDeactivated = "USER_DEACTIVATED",
    /// A client was changed.
    ClientChanged = "CLIENT_CHANGED",
    /// An agent was changed.
    AgentChanged = "AGENT_CHANGED",
    /// A dead letter is to be put back into its queue.
    DeadLetterReplayed = "DEAD_LETTER_REPLAYED",
    /// A dead letter was thrown away.
    DeadLetterDiscarded = "DEAD_LETTER_DISCARDED",
}

impl AuditAction {
    /// Reads a name.
    pub fn parse(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.iter().find(|action| action.name() == name);
        found.copied().ok_or(UnknownName { expected: Self::NAMES })
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditOutcome {
    /// It was done.
    Success,
    /// It was refused.
    Failure,
}

impl AuditOutcome {
    const NAMES: &'static [&'static str] = &["SUCCESS", "FAILURE"];

    /// As it is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            AuditOutcome::Success => "SUCCESS",
            AuditOutcome::Failure => "FAILURE",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Result<Self, UnknownName> {
        let found = [AuditOutcome::Success, AuditOutcome::Failure].into_iter().find(|o| o.name() == name);
        found.ok_or(UnknownName { expected: Self::NAMES })
    }
}

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditActor {
    /// The desk itself.
    System,
    /// A user who has shown who they are.
    User(UserId),
    /// Somebody who has not: a failed login, a stolen token.
    Anonymous,
}

impl From<Actor> for AuditActor {
    fn from(actor: Actor) -> Self {
        match actor {
            Actor::System => AuditActor::System,
            Actor::User(user) => AuditActor::User(user),
        }
    }
}

/// What it was done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditTarget {
    /// A user, or one of the user's logins, which the detail names.
    User(UserId),
    /// A client.
    Client(ClientId),
    /// An agent.
    Agent(AgentId),
    /// A dead letter.
    DeadLetter(Uuid),
}

impl AuditTarget {
    /// The kind, as it is stored and shown.
    pub const fn kind(self) -> &'static str {
        match self {
            AuditTarget::User(_) => "USER",
            AuditTarget::Client(_) => "CLIENT",
            AuditTarget::Agent(_) => "AGENT",
            AuditTarget::DeadLetter(_) => "DEAD_LETTER",
        }
    }

    /// The id.
    pub const fn id(self) -> Uuid {
        match self {
            AuditTarget::User(id) => id.uuid(),
            AuditTarget::Client(id) => id.uuid(),
            AuditTarget::Agent(id) => id.uuid(),
            AuditTarget::DeadLetter(id) => id,
        }
    }
}

/// Something to write down. It never holds a secret, nor what somebody typed who is not known: a password typed
/// into the wrong field would be there for good.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// A fresh id.
    pub id: Uuid,
    /// Who.
    pub actor: AuditActor,
    /// What.
    pub action: AuditAction,
    /// To whom; `None` when there is nobody, such as for an address that no user has.
    pub target: Option<AuditTarget>,
    /// From where, as far as it is known.
    pub ip: Option<IpAddr>,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// What else there is to say.
    pub detail: Map<String, Value>,
}

impl AuditEntry {
    /// The same with one more thing said.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }
}

/// The audit log inside a transaction.
pub trait AuditTx {
    /// Adds an entry, in the transaction of the change it tells of. The time is the database's.
    fn audit(&mut self, entry: &AuditEntry) -> Result<(), AppError>;

    /// Adds as many entries as there are to add, in a few statements.
    fn audit_all(&mut self, entries: &[AuditEntry]) -> Result<(), AppError>;
}

/// Which entries to list. Every condition that is given has to hold.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Any of these; all when empty.
    pub actions: Vec<AuditAction>,
    /// By this user.
    pub actor: Option<UserId>,
    /// To this user, client, agent or dead letter.
    pub target: Option<Uuid>,
    /// That came to this.
    pub outcome: Option<AuditOutcome>,
    /// Then or later.
    pub from: Option<OffsetDateTime>,
    /// Then or earlier.
    pub to: Option<OffsetDateTime>,
}

/// An entry as it is read. Actions and kinds are an open set: a later release may have written it.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// Identity.
    pub id: Uuid,
    /// When.
    pub at: OffsetDateTime,
    /// Who.
    pub actor: AuditActor,
    /// The user's address, if it was one who still exists.
    pub actor_email: Option<String>,
    /// What.
    pub action: String,
    /// Kind and id of what it was done to.
    pub target: Option<(String, String)>,
    /// From where.
    pub ip: Option<String>,
    /// What came of it.
    pub outcome: String,
    /// What else there is to say.
    pub detail: Value,
}

/// Reads of the audit log.
pub trait AuditReader {
    /// Entries, newest first.
    fn audit(&self, budget: &Budget, filter: &AuditFilter, page: Page) -> Result<Paged<AuditRow>, AppError>;
}
