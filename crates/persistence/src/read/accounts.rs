//! Users and refresh tokens.

use std::{net::IpAddr, time::Duration};

use diesel::{dsl::exists, prelude::*, sql_types};
use techsupport_application::{
    AppError, Budget, Page, Paged, Position,
    ports::{
        AccountReader, Credentials, EndedSessions, SessionRow, StoredRefreshToken, TokenState, UserFilter,
    },
};
use techsupport_domain::{RefreshTokenId, SessionId, User, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    PgReader, behind_time,
    beyond::{Direction, beyond},
    contains, paged, total,
};
use crate::{
    rows::{Corrupt, UserRow},
    schema::{refresh_tokens, sessions, users},
};

impl AccountReader for PgReader {
    fn user(&self, budget: &Budget, id: UserId) -> Result<Option<User>, AppError> {
        let row = self.database.read(budget, |conn| user(conn, id))?;
        row.map(UserRow::into_user).transpose().map_err(AppError::internal)
    }

    fn users(&self, budget: &Budget, filter: &UserFilter, page: Page) -> Result<Paged<User>, AppError> {
        paged(self.snapshot(budget, |conn| users(conn, filter, page))?, UserRow::into_user)
    }

    fn credentials(&self, budget: &Budget, email: &str) -> Result<Option<Credentials>, AppError> {
        self.database.read(budget, |conn| credentials(conn, email))?.map(into_credentials).transpose()
    }

    fn credentials_of(&self, budget: &Budget, id: UserId) -> Result<Option<Credentials>, AppError> {
        self.database.read(budget, |conn| credentials_of(conn, id))?.map(into_credentials).transpose()
    }

    fn has_signed_in_from(
        &self,
        budget: &Budget,
        email: &str,
        network: (IpAddr, u8),
        within: Duration,
    ) -> Result<bool, AppError> {
        self.database.read(budget, |conn| has_signed_in_from(conn, email, network, within))
    }

    fn refresh_token(&self, budget: &Budget, lookup: &str) -> Result<Option<StoredRefreshToken>, AppError> {
        let row = self.database.read(budget, |conn| token_by_lookup(conn, lookup))?;
        row.map(TokenRow::into_token).transpose().map_err(AppError::internal)
    }

    fn sessions(&self, budget: &Budget, user: UserId, page: Page) -> Result<Paged<SessionRow>, AppError> {
        self.snapshot(budget, |conn| sessions(conn, user, page))
    }

    fn ended_sessions(
        &self,
        budget: &Budget,
        since: Option<OffsetDateTime>,
        window: Duration,
    ) -> Result<EndedSessions, AppError> {
        let ended = self.database.read(budget, |conn| ended_sessions(conn, since, window))?;
        let ids = ended.ids.into_iter().map(SessionId::new).collect();
        Ok(EndedSessions { ids, as_of: ended.as_of })
    }
}

pub(crate) fn into_credentials((user, password_hash): (UserRow, String)) -> Result<Credentials, AppError> {
    Ok(Credentials { user: user.into_user().map_err(AppError::internal)?, password_hash })
}

fn user(conn: &mut PgConnection, id: UserId) -> QueryResult<Option<UserRow>> {
    users::table.find(id.uuid()).select(UserRow::as_select()).first(conn).optional()
}

fn users(conn: &mut PgConnection, filter: &UserFilter, page: Page) -> QueryResult<Paged<UserRow>> {
    let wanted = || {
        let mut query = users::table.into_boxed();
        if let Some(search) = &filter.search {
            query = query.filter(users::email.ilike(contains(search)));
        }
        if let Some(role) = filter.role {
            query = query.filter(users::role.eq(role.name()));
        }
        if let Some(active) = filter.active {
            query = query.filter(users::active.eq(active));
        }
        query
    };
    let total = total(page, || wanted().count().get_result(conn))?;
    let mut query = wanted();
    if let Some(last) = behind_time(page)? {
        query = query.filter(beyond((users::created_at, users::id), Direction::Down, last));
    }
    let rows = query
        .order((users::created_at.desc(), users::id.desc()))
        .limit(page.reach())
        .offset(page.offset())
        .select((UserRow::as_select(), users::created_at))
        .load(conn)?;
    let place = |(row, created_at): &(UserRow, OffsetDateTime)| Position::at(*created_at, row.id);
    Paged::of(page, total, rows, place).try_map(|(row, _)| Ok(row))
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = sql_types::Bool)]
    found: bool,
}

fn has_signed_in_from(
    conn: &mut PgConnection,
    folded: &str,
    (address, prefix): (IpAddr, u8),
    within: Duration,
) -> QueryResult<bool> {
    diesel::sql_query(
        "SELECT EXISTS (SELECT FROM users u JOIN sessions s ON s.user_id = u.id WHERE u.email_folded = $1 \
             AND s.ip::inet <<= network($2::inet) AND s.created_at > now() - make_interval(secs => $3)) AS found",
    )
    .bind::<sql_types::Text, _>(folded)
    .bind::<sql_types::Text, _>(format!("{address}/{prefix}"))
    .bind::<sql_types::Double, _>(within.as_secs_f64())
    .get_result::<Found>(conn)
    .map(|row| row.found)
}

fn credentials_of(conn: &mut PgConnection, id: UserId) -> QueryResult<Option<(UserRow, String)>> {
    users::table.find(id.uuid()).select((UserRow::as_select(), users::password_hash)).first(conn).optional()
}

fn sessions(conn: &mut PgConnection, user: UserId, page: Page) -> QueryResult<Paged<SessionRow>> {
    let now = || diesel::dsl::now.into_sql::<sql_types::Timestamptz>();
    let wanted = || {
        let can_go_on = refresh_tokens::table
            .filter(refresh_tokens::session_id.eq(sessions::id))
            .filter(refresh_tokens::spent_at.is_null())
            .filter(refresh_tokens::expires_at.gt(now()));
        sessions::table
            .filter(sessions::user_id.eq(user.uuid()))
            .filter(sessions::revoked_at.is_null())
            .filter(exists(can_go_on))
    };
    let total = total(page, || wanted().count().get_result(conn))?;
    let mut query = wanted().into_boxed();
    if let Some(last) = behind_time(page)? {
        query = query.filter(beyond((sessions::created_at, sessions::id), Direction::Down, last));
    }
    let rows: Vec<LoginRow> = query
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .limit(page.reach())
        .offset(page.offset())
        .select(LoginRow::as_select())
        .load(conn)?;
    let place = |row: &LoginRow| Position::at(row.created_at, row.id);
    Paged::of(page, total, rows, place).try_map(|row| Ok(row.into_session()))
}

/// A row of `sessions`, as its user sees it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct LoginRow {
    id: Uuid,
    created_at: OffsetDateTime,
    last_used_at: OffsetDateTime,
    ip: Option<String>,
    user_agent: Option<String>,
}

impl LoginRow {
    fn into_session(self) -> SessionRow {
        SessionRow {
            id: SessionId::new(self.id),
            created_at: self.created_at,
            last_used_at: self.last_used_at,
            ip: self.ip,
            user_agent: self.user_agent,
        }
    }
}

#[derive(QueryableByName)]
struct EndedRow {
    #[diesel(sql_type = sql_types::Timestamptz)]
    as_of: OffsetDateTime,
    #[diesel(sql_type = sql_types::Array<sql_types::Uuid>)]
    ids: Vec<Uuid>,
}

/// One statement, whose clock was read before it looked: what is committed later than `as_of` says is found by a
/// later look.
fn ended_sessions(
    conn: &mut PgConnection,
    since: Option<OffsetDateTime>,
    window: Duration,
) -> QueryResult<EndedRow> {
    diesel::sql_query(
        "SELECT now() AS as_of, ARRAY( \
             SELECT id FROM sessions WHERE revoked_at > greatest($1, now() - make_interval(secs => $2)) \
         ) AS ids",
    )
    .bind::<sql_types::Nullable<sql_types::Timestamptz>, _>(since)
    .bind::<sql_types::Double, _>(window.as_secs_f64())
    .get_result(conn)
}

fn credentials(conn: &mut PgConnection, folded: &str) -> QueryResult<Option<(UserRow, String)>> {
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
