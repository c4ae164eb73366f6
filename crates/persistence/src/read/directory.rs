//! Clients and agents.

use diesel::prelude::*;
use techsupport_application::{
    Page,
    ports::{AgentFilter, ClientFilter},
};
use techsupport_domain::{AgentId, ClientId};

use super::{Rows, contains};
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
) -> QueryResult<Rows<ClientRow>> {
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
    let total = wanted().count().get_result(conn)?;
    let rows = wanted()
        .order((clients::created_at.desc(), clients::id.desc()))
        .limit(i64::from(page.size()))
        .offset(page.offset())
        .select(ClientRow::as_select())
        .load(conn)?;
    Ok((total, rows))
}

pub(super) fn agent(conn: &mut PgConnection, id: AgentId) -> QueryResult<Option<AgentRow>> {
    agents::table.find(id.uuid()).select(AgentRow::as_select()).first(conn).optional()
}

pub(super) fn agents(
    conn: &mut PgConnection,
    filter: &AgentFilter,
    page: Page,
) -> QueryResult<Rows<AgentRow>> {
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
    let total = wanted().count().get_result(conn)?;
    let rows = wanted()
        .order((agents::created_at.desc(), agents::id.desc()))
        .limit(i64::from(page.size()))
        .offset(page.offset())
        .select(AgentRow::as_select())
        .load(conn)?;
    Ok((total, rows))
}
