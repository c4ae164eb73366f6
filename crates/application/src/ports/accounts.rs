//! Users, sessions and refresh tokens inside a transaction.

use std::{net::IpAddr, time::Duration};

use techsupport_domain::{RefreshTokenId, Role, SessionId, User, UserId, text::Email};
use time::OffsetDateTime;

use crate::{AppError, Budget, Page, Paged};

/// A user to register.
#[derive(Clone)]
pub struct NewUser {
    /// A fresh id.
    pub id: UserId,
    /// Unique whatever its letter case.
    pub email: Email,
    /// What the user may do.
    pub role: Role,
    /// Whether the user may sign in.
    pub active: bool,
    /// From [`super::Passwords::hash`].
    pub password_hash: String,
}

/// A user together with the hash that only the login sees.
#[derive(Clone)]
pub struct Credentials {
    /// Who.
    pub user: User,
    /// What [`super::Passwords::verify`] compares with.
    pub password_hash: String,
}

/// A login.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// A fresh id.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// The caller's address, as far as it is known.
    pub ip: Option<String>,
    /// The caller's `User-Agent`, cut to 400 characters.
    pub user_agent: Option<String>,
}

/// A refresh token to store: an indexed half to find it by and the hash of the other.
#[derive(Clone)]
pub struct NewRefreshToken {
    /// A fresh id.
    pub id: RefreshTokenId,
    /// The login it descends from.
    pub session: SessionId,
    /// The first half of the token.
    pub lookup: String,
    /// The hash of the second half.
    pub secret_hash: String,
    /// How long it can be used, by the database's clock.
    pub lifetime: Duration,
}

/// Whether a refresh token can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// Once.
    Usable,
    /// It was used before: presenting it again means that it was stolen, from the user or by the user's
    /// retry; nobody can tell.
    Spent,
    /// It expired, its session was revoked, or its user is not active.
    Dead,
}

/// A refresh token as it was stored, with the user it belongs to now.
#[derive(Clone)]
pub struct StoredRefreshToken {
    /// Identity.
    pub id: RefreshTokenId,
    /// The login it descends from.
    pub session: SessionId,
    /// The hash of the second half.
    pub secret_hash: String,
    /// Whether it can be used.
    pub state: TokenState,
    /// Whose it is, with the present role: roles survive a refresh, and so do their changes.
    pub user: User,
}

/// Why a login ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEnd {
    /// By its own refresh token.
    Logout,
    /// A spent refresh token was presented.
    Reuse,
    /// The user ended it.
    Revoked,
    /// The user changed the password elsewhere.
    PasswordChanged,
    /// The user was given another role.
    RoleChanged,
    /// The user was deactivated.
    Deactivated,
}

impl SessionEnd {
    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            SessionEnd::Logout => "LOGOUT",
            SessionEnd::Reuse => "REUSE",
            SessionEnd::Revoked => "REVOKED",
            SessionEnd::PasswordChanged => "PASSWORD_CHANGED",
            SessionEnd::RoleChanged => "ROLE_CHANGED",
            SessionEnd::Deactivated => "DEACTIVATED",
        }
    }
}

/// Which logins to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// This one.
    One(SessionId),
    /// This one, if it is this user's.
    OneOf(UserId, SessionId),
    /// All of this user's.
    AllOf(UserId),
    /// All of this user's but this one.
    OthersOf(UserId, SessionId),
}

/// Users, sessions and refresh tokens inside a transaction.
///
/// Locks are taken in one order: administrators, user, session.
pub trait AccountTx {
    /// Registers a user. A taken e-mail address is a conflict.
    fn insert_user(&mut self, user: &NewUser) -> Result<(), AppError>;

    /// Whether there is any user with the role ADMIN; locks the question, so that of several first boots
    /// only one sees "no".
    fn any_admin(&mut self) -> Result<bool, AppError>;

    /// Locks who is an administrator: of several who are about to make administrators fewer, each sees what the
    /// one before has done.
    fn lock_admins(&mut self) -> Result<(), AppError>;

    /// Whether there is an active administrator besides this user.
    fn has_other_admin(&mut self, than: UserId) -> Result<bool, AppError>;

    /// Reads a user and keeps role, activity and password from changing until the end of the transaction. Several
    /// may do so at once.
    fn hold_user(&mut self, id: UserId) -> Result<Option<Credentials>, AppError>;

    /// Reads a user who is about to be changed, and locks out everybody else who wants to, and new logins.
    fn lock_user(&mut self, id: UserId) -> Result<Option<Credentials>, AppError>;

    /// Writes role and activity.
    fn update_user(&mut self, user: &User) -> Result<(), AppError>;

    /// Writes another password.
    fn set_password(&mut self, id: UserId, hash: &str) -> Result<(), AppError>;

    /// Opens a session and stores its first refresh token.
    fn open_session(&mut self, session: &NewSession, token: &NewRefreshToken) -> Result<(), AppError>;

    /// Finds a refresh token and locks its session, so that of several uses at once each sees the one
    /// before.
    fn lock_refresh_token(&mut self, lookup: &str) -> Result<Option<StoredRefreshToken>, AppError>;

    /// Spends a token and stores its successor.
    fn rotate(&mut self, spent: RefreshTokenId, next: &NewRefreshToken) -> Result<(), AppError>;

    /// Ends sessions with everything that descends from them, and tells every replica. Returns those that were
    /// not ended before.
    fn end_sessions(&mut self, which: Sessions, why: SessionEnd) -> Result<Vec<SessionId>, AppError>;
}

/// A login that is not ended, as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Identity.
    pub id: SessionId,
    /// When the user signed in.
    pub created_at: OffsetDateTime,
    /// When it was last refreshed.
    pub last_used_at: OffsetDateTime,
    /// From where the user signed in, as far as it is known.
    pub ip: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
}

/// Which users to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// With this role.
    pub role: Option<Role>,
    /// Active, or not.
    pub active: Option<bool>,
    /// Part of the e-mail address, whatever the letter case; `%` and `_` stand for themselves.
    pub search: Option<String>,
}

/// Logins that have ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedSessions {
    /// Which.
    pub ids: Vec<SessionId>,
    /// The database's clock when it was asked.
    pub as_of: OffsetDateTime,
}

/// Reads of users and sessions.
pub trait AccountReader {
    /// A user.
    fn user(&self, budget: &Budget, id: UserId) -> Result<Option<User>, AppError>;

    /// Users, newest first.
    fn users(&self, budget: &Budget, filter: &UserFilter, page: Page) -> Result<Paged<User>, AppError>;

    /// What a login compares with. `email` in its folded form.
    fn credentials(&self, budget: &Budget, email: &str) -> Result<Option<Credentials>, AppError>;

    /// What a change of password compares with.
    fn credentials_of(&self, budget: &Budget, id: UserId) -> Result<Option<Credentials>, AppError>;

    /// Whether somebody has signed in to the account from the network, and not long ago. `email` in its folded form,
    /// the network as an address and the length of its prefix.
    fn has_signed_in_from(
        &self,
        budget: &Budget,
        email: &str,
        network: (IpAddr, u8),
        within: Duration,
    ) -> Result<bool, AppError>;

    /// A refresh token, unlocked: what to compare the secret half with before anything is locked.
    fn refresh_token(&self, budget: &Budget, lookup: &str) -> Result<Option<StoredRefreshToken>, AppError>;

    /// A user's logins that are neither ended nor beyond refreshing, newest first.
    fn sessions(&self, budget: &Budget, user: UserId, page: Page) -> Result<Paged<SessionRow>, AppError>;

    /// Logins that ended after `since`, or within the last `window` when that is later or nothing is known yet.
    fn ended_sessions(
        &self,
        budget: &Budget,
        since: Option<OffsetDateTime>,
        window: Duration,
    ) -> Result<EndedSessions, AppError>;
}
