//! Who resolves tickets fastest.

use diesel::{
    prelude::*,
    sql_types::{BigInt, Nullable, Text},
};
use techsupport_application::ports::AgentSpeed;

use super::window::{CHANGED_RESOLVED, LIVE_RESOLVED, PARTLY_RESOLVED, WHOLE_MONTH, Window};

#[derive(QueryableByName)]
struct AgentRow {
    #[diesel(sql_type = Text)]
    agent: String,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = BigInt)]
    mean: i64,
    #[diesel(sql_type = BigInt)]
    tickets: i64,
}

/// The fastest first. Thirty digits tell any two means apart that differ; where an id has the form of a UUID, its
/// letter case means nothing.
pub(super) fn fastest(
    conn: &mut PgConnection,
    window: &Window<'_>,
    limit: u16,
) -> QueryResult<Vec<AgentSpeed>> {
    let singly = window.union(&[LIVE_RESOLVED], &[PARTLY_RESOLVED, CHANGED_RESOLVED]);
    let by_month = format!(
        "SELECT m.agent_id AS agent, sum(m.tickets) AS tickets, sum(m.total_us) AS total FROM imported_by_agent m \
         WHERE {WHOLE_MONTH} GROUP BY 1"
    );
    let one_by_one = format!(
        "SELECT s.agent COLLATE \"C\" AS agent, sum(s.tickets) AS tickets, sum(s.us::numeric * s.tickets) AS total \
         FROM ({singly}) AS s WHERE s.agent IS NOT NULL GROUP BY 1"
    );
    let parts = [one_by_one, window.union(&[], &[&by_month])];
    let parts = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>();
    let sql = format!(
        "WITH best AS ( \
             SELECT CASE WHEN p.agent ~* '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN lower(p.agent) \
                     ELSE p.agent END AS agent, \
                 round(sum(p.total), 30) / sum(p.tickets) AS exact, sum(p.tickets) AS tickets, \
                 div(2 * sum(p.total) + 60000000 * sum(p.tickets), 120000000 * sum(p.tickets)) AS mean \
             FROM ({}) AS p GROUP BY 1 HAVING sum(p.tickets) <> 0 ORDER BY 2, 3 DESC, 1 LIMIT $4 \
         ) SELECT b.agent, a.name, b.mean::bigint AS mean, b.tickets::bigint AS tickets \
         FROM best b LEFT JOIN agents a ON a.id::text = b.agent ORDER BY b.exact, b.tickets DESC, b.agent",
        parts.join(" UNION ALL ")
    );
    let rows: Vec<AgentRow> = window.query(&sql).bind::<BigInt, _>(i64::from(limit)).load(conn)?;
    let speed =
        |AgentRow { agent, name, mean, tickets }| AgentSpeed { agent, name, mean_minutes: mean, tickets };
    Ok(rows.into_iter().map(speed).collect())
}
