//! Users, sessions and refresh tokens.

use diesel::{prelude::*, sql_types};
use techsupport_application::{
    AppError, Conflict, Entity,
    ports::{AccountTx, NewRefreshToken, NewSession, NewUser, StoredRefreshToken},
};
use techsupport_domain::{RefreshTokenId, SessionId};

use super::PgTx;
use crate::{
    read::accounts::{TokenRow, token_by_lookup},
    schema::{refresh_tokens, sessions, users},
};

/// The key of the advisory lock that serialises first boots. Any number that nobody else uses.
const FIRST_BOOT_LOCK: i64 = 0x7465_6368_7375_7070;

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
        self.exec(|conn| {
            diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
                .bind::<sql_types::BigInt, _>(FIRST_BOOT_LOCK)
                .execute(conn)?;
            diesel::select(diesel::dsl::exists(users::table.filter(users::role.eq("ADMIN")))).get_result(conn)
        })
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

    fn revoke_session(&mut self, session: SessionId, reason: &str) -> Result<(), AppError> {
        self.exec(|conn| {
            diesel::update(sessions::table.find(session.uuid()).filter(sessions::revoked_at.is_null()))
                .set((sessions::revoked_at.eq(diesel::dsl::now), sessions::revoked_reason.eq(reason)))
                .execute(conn)
        })
        .map(drop)
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
