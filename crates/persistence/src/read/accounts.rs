//! Users and refresh tokens.

use diesel::{prelude::*, sql_types};
use techsupport_application::ports::{StoredRefreshToken, TokenState};
use techsupport_domain::{RefreshTokenId, SessionId, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    rows::{Corrupt, UserRow},
    schema::{refresh_tokens, sessions, users},
};

pub(crate) fn user(conn: &mut PgConnection, id: UserId) -> QueryResult<Option<UserRow>> {
    users::table.find(id.uuid()).select(UserRow::as_select()).first(conn).optional()
}

pub(crate) fn credentials(conn: &mut PgConnection, folded: &str) -> QueryResult<Option<(UserRow, String)>> {
    users::table
        .filter(users::email_folded.eq(folded))
        .select((UserRow::as_select(), users::password_hash))
        .first(conn)
        .optional()
}

/// A refresh token with its session and user, judged by the database's clock.
#[derive(Queryable)]
pub(crate) struct TokenRow {
    id: Uuid,
    session_id: Uuid,
    secret_hash: String,
    spent_at: Option<OffsetDateTime>,
    expired: bool,
    revoked_at: Option<OffsetDateTime>,
    user: UserRow,
}

pub(crate) fn token_by_lookup(conn: &mut PgConnection, lookup: &str) -> QueryResult<Option<TokenRow>> {
    refresh_tokens::table
        .inner_join(sessions::table.inner_join(users::table))
        .filter(refresh_tokens::lookup.eq(lookup))
        .select((
            refresh_tokens::id,
            refresh_tokens::session_id,
            refresh_tokens::secret_hash,
            refresh_tokens::spent_at,
            refresh_tokens::expires_at.le(diesel::dsl::now.into_sql::<sql_types::Timestamptz>()),
            sessions::revoked_at,
            UserRow::as_select(),
        ))
        .first(conn)
        .optional()
}

impl TokenRow {
    pub(crate) fn into_token(self) -> Result<StoredRefreshToken, Corrupt> {
        let user = self.user.into_user()?;
        let state = if self.revoked_at.is_some() || !user.active {
            TokenState::Dead
        } else if self.spent_at.is_some() {
            TokenState::Spent
        } else if self.expired {
            TokenState::Dead
        } else {
            TokenState::Usable
        };
        Ok(StoredRefreshToken {
            id: RefreshTokenId::new(self.id),
            session: SessionId::new(self.session_id),
            secret_hash: self.secret_hash,
            state,
            user,
        })
    }
}
