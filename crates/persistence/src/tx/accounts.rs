//! Users, sessions and refresh tokens.

use diesel::{dsl::exists, prelude::*, sql_types};
use techsupport_application::{
    AppError, Conflict, Entity,
    ports::{
        AccountTx, Credentials, NewRefreshToken, NewSession, NewUser, SessionEnd, Sessions,
        StoredRefreshToken,
    },
};
use techsupport_domain::{RefreshTokenId, Role, SessionId, User, UserId};

use super::{PgTx, clock_timestamp};
use crate::{
    listen::Topic,
    read::accounts::{TokenRow, into_credentials, token_by_lookup},
    rows::UserRow,
    schema::{refresh_tokens, sessions, users},
};

/// The key of the advisory lock under which it is decided who is an administrator. Any number that nobody else
/// uses.
const ADMINS_LOCK: i64 = 0x7465_6368_7375_7070;

impl AccountTx for PgTx<'_> {
    fn insert_user(&mut self, user: &NewUser) -> Result<(), AppError> {
        self.exec_or(
            |conn| {
                diesel::insert_into(users::table)
                    .values((
                        users::id.eq(user.id.uuid()),
                        users::email.eq(user.email.as_str()),
                        users::email_folded.eq(user.email.folded()),
                        users::role.eq(user.role.name()),
                        users::active.eq(user.active),
                        users::password_hash.eq(&user.password_hash),
                    ))
                    .execute(conn)
            },
            |failure| match failure.constraint() {
                Some("users_email_taken") => Some(AppError::Conflict(Conflict::EmailTaken(Entity::User))),
                Some(_) | None => None,
            },
        )
        .map(drop)
    }

    fn any_admin(&mut self) -> Result<bool, AppError> {
        self.lock_admins()?;
        self.exec(|conn| {
            diesel::select(exists(users::table.filter(users::role.eq(Role::Admin.name())))).get_result(conn)
        })
    }

    fn lock_admins(&mut self) -> Result<(), AppError> {
        self.exec(|conn| {
            diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
                .bind::<sql_types::BigInt, _>(ADMINS_LOCK)
                .execute(conn)
        })
        .map(drop)
    }

    fn has_other_admin(&mut self, than: UserId) -> Result<bool, AppError> {
        self.exec(|conn| {
            let others = users::table
                .filter(users::role.eq(Role::Admin.name()).and(users::active))
                .filter(users::id.ne(than.uuid()));
            diesel::select(exists(others)).get_result(conn)
        })
    }

    fn hold_user(&mut self, id: UserId) -> Result<Option<Credentials>, AppError> {
        let row = self.exec(|conn| {
            users::table
                .find(id.uuid())
                .select((UserRow::as_select(), users::password_hash))
                .for_share()
                .first(conn)
                .optional()
        })?;
        row.map(into_credentials).transpose()
    }

    fn lock_user(&mut self, id: UserId) -> Result<Option<Credentials>, AppError> {
        let row = self.exec(|conn| {
            users::table
                .find(id.uuid())
                .select((UserRow::as_select(), users::password_hash))
                .for_no_key_update()
                .first(conn)
                .optional()
        })?;
        row.map(into_credentials).transpose()
    }

    fn update_user(&mut self, user: &User) -> Result<(), AppError> {
        self.exec(|conn| {
            diesel::update(users::table.find(user.id.uuid()))
                .set((
                    users::role.eq(user.role.name()),
                    users::active.eq(user.active),
                    users::updated_at.eq(clock_timestamp()),
                ))
                .execute(conn)
        })
        .map(drop)
    }

    fn set_password(&mut self, id: UserId, hash: &str) -> Result<(), AppError> {
        self.exec(|conn| {
            diesel::update(users::table.find(id.uuid()))
                .set((users::password_hash.eq(hash), users::updated_at.eq(clock_timestamp())))
                .execute(conn)
        })
        .map(drop)
    }

    fn open_session(&mut self, session: &NewSession, token: &NewRefreshToken) -> Result<(), AppError> {
        self.exec(|conn| {
            diesel::insert_into(sessions::table)
                .values((
                    sessions::id.eq(session.id.uuid()),
                    sessions::user_id.eq(session.user.uuid()),
                    sessions::ip.eq(&session.ip),
                    sessions::user_agent.eq(&session.user_agent),
                ))
                .execute(conn)?;
            insert_token(conn, token)
        })
    }

    fn lock_refresh_token(&mut self, lookup: &str) -> Result<Option<StoredRefreshToken>, AppError> {
        let row: Option<TokenRow> = self.exec(|conn| {
            // The session is locked before the token is read: who waited here sees what the one before did.
            let session: Option<uuid::Uuid> = refresh_tokens::table
                .filter(refresh_tokens::lookup.eq(lookup))
                .select(refresh_tokens::session_id)
                .first(conn)
                .optional()?;
            let Some(session) = session else { return Ok(None) };
            sessions::table.find(session).select(sessions::id).for_update().first::<uuid::Uuid>(conn)?;
            token_by_lookup(conn, lookup)
        })?;
        row.map(TokenRow::into_token).transpose().map_err(AppError::internal)
    }

    fn rotate(&mut self, spent: RefreshTokenId, next: &NewRefreshToken) -> Result<(), AppError> {
        self.exec(|conn| {
            diesel::update(refresh_tokens::table.find(spent.uuid()))
                .set(refresh_tokens::spent_at.eq(diesel::dsl::now))
                .execute(conn)?;
            diesel::update(sessions::table.find(next.session.uuid()))
                .set(sessions::last_used_at.eq(diesel::dsl::now))
                .execute(conn)?;
            insert_token(conn, next)
        })
    }

    fn end_sessions(&mut self, which: Sessions, why: SessionEnd) -> Result<Vec<SessionId>, AppError> {
        let ended: Vec<uuid::Uuid> = self.exec(|conn| {
            let all = diesel::update(sessions::table.filter(sessions::revoked_at.is_null()))
                // Of this moment, and not of the beginning of the transaction: replicas look for the ends since
                // their last look, and the nearer to the commit, the less they have to look back.
                .set((
                    sessions::revoked_at.eq(clock_timestamp().nullable()),
                    sessions::revoked_reason.eq(why.name()),
                ))
                .into_boxed();
            let wanted = match which {
                Sessions::One(session) => all.filter(sessions::id.eq(session.uuid())),
                Sessions::OneOf(user, session) => {
                    all.filter(sessions::id.eq(session.uuid())).filter(sessions::user_id.eq(user.uuid()))
                }
                Sessions::AllOf(user) => all.filter(sessions::user_id.eq(user.uuid())),
                Sessions::OthersOf(user, session) => {
                    all.filter(sessions::user_id.eq(user.uuid())).filter(sessions::id.ne(session.uuid()))
                }
            };
            let ended: Vec<uuid::Uuid> = wanted.returning(sessions::id).get_results(conn)?;
            if !ended.is_empty() {
                diesel::sql_query("SELECT pg_notify($1, '')")
                    .bind::<sql_types::Text, _>(Topic::EndedSessions.channel())
                    .execute(conn)?;
            }
            Ok(ended)
        })?;
        Ok(ended.into_iter().map(SessionId::new).collect())
    }
}

fn insert_token(conn: &mut PgConnection, token: &NewRefreshToken) -> QueryResult<()> {
    let seconds = i32::try_from(token.lifetime.as_secs()).unwrap_or(i32::MAX);
    diesel::sql_query(
        "INSERT INTO refresh_tokens (id, session_id, lookup, secret_hash, expires_at) \
         VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))",
    )
    .bind::<sql_types::Uuid, _>(token.id.uuid())
    .bind::<sql_types::Uuid, _>(token.session.uuid())
    .bind::<sql_types::Text, _>(&token.lookup)
    .bind::<sql_types::Text, _>(&token.secret_hash)
    .bind::<sql_types::Integer, _>(seconds)
    .execute(conn)
    .map(drop)
}
