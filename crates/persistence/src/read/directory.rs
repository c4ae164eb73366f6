//! Clients and agents.

use diesel::{dsl::sql, prelude::*, sql_types::Untyped};
use techsupport_application::{
    Page, Paged, Position,
    ports::{AgentFilter, ClientFilter},
};
use techsupport_domain::{AgentId, ClientId};
use time::OffsetDateTime;

use super::{
    behind_time,
    beyond::{Direction, beyond},
    contains, total,
};
use crate::{
    rows::{AgentRow, ClientRow},
    schema::{agents, clients},
};

pub(super) fn client(conn: &mut PgConnection, id: ClientId) -> QueryResult<Option<ClientRow>> {
    clients::table.find(id.uuid()).select(ClientRow::as_select()).first(conn).optional()
}

pub(super) fn clients(
    conn: &mut PgConnection,
    filter: &ClientFilter,
    page: Page,
) -> QueryResult<Paged<ClientRow>> {
    let wanted = || {
        let mut query = clients::table.into_boxed();
        if let Some(search) = &filter.search {
            let pattern = contains(search);
            query = query.filter(
                clients::name
                    .ilike(pattern.clone())
                    .or(clients::email.ilike(pattern.clone()))
                    .or(clients::company.ilike(pattern)),
            );
        }
        if let Some(tier) = filter.tier {
            query = query.filter(clients::tier.eq(tier.name()));
        }
        query
    };
    let total = total(page, || wanted().count().get_result(conn))?;
    let mut query = wanted();
    if let Some(last) = behind_time(page)? {
        query = query.filter(beyond((clients::created_at, clients::id), Direction::Down, last));
    }
    let query = if looks_up_first(filter.search.as_deref()) {
        query.order(sql::<Untyped>("clients.created_at + INTERVAL '0' DESC, clients.id DESC"))
    } else {
        query.order((clients::created_at.desc(), clients::id.desc()))
    };
    let rows = query.limit(page.reach()).offset(page.offset()).select(ClientRow::as_select()).load(conn)?;
    Ok(Paged::of(page, total, rows, |row: &ClientRow| Position::at(row.created_at, row.id)))
}

pub(super) fn agent(conn: &mut PgConnection, id: AgentId) -> QueryResult<Option<AgentRow>> {
    agents::table.find(id.uuid()).select(AgentRow::as_select()).first(conn).optional()
}

pub(super) fn agents(
    conn: &mut PgConnection,
    filter: &AgentFilter,
    page: Page,
) -> QueryResult<Paged<AgentRow>> {
    let wanted = || {
        let mut query = agents::table.into_boxed();
        if let Some(search) = &filter.search {
            let pattern = contains(search);
            query = query.filter(agents::name.ilike(pattern.clone()).or(agents::email.ilike(pattern)));
        }
        if let Some(active) = filter.active {
            query = query.filter(agents::active.eq(active));
        }
        query
    };
    let total = total(page, || wanted().count().get_result(conn))?;
    let mut query = wanted();
    if let Some(last) = behind_time(page)? {
        query = query.filter(beyond((agents::created_at, agents::id), Direction::Down, last));
    }
    let query = if looks_up_first(filter.search.as_deref()) {
        query.order(sql::<Untyped>("agents.created_at + INTERVAL '0' DESC, agents.id DESC"))
    } else {
        query.order((agents::created_at.desc(), agents::id.desc()))
    };
    let rows = query
        .limit(page.reach())
        .offset(page.offset())
        .select((AgentRow::as_select(), agents::created_at))
        .load(conn)?;
    let place = |(row, created_at): &(AgentRow, OffsetDateTime)| Position::at(*created_at, row.id);
    Paged::of(page, total, rows, place).try_map(|(row, _)| Ok(row))
}

/// Whether what is searched for is looked up and sorted then, by something that no index has. PostgreSQL guesses how
/// many will match, and guesses high: it would rather go through all of them, the newest first. The index holds
/// pieces of three characters; for less there is nothing to look up.
fn looks_up_first(search: Option<&str>) -> bool {
    search.is_some_and(|text| text.chars().count() >= 3)
}
