//! Where a walk goes on.

use diesel::{
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{Bool, HasSqlType, Uuid as SqlUuid},
};
use uuid::Uuid;

/// In which direction a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Small ones first.
    Up,
    /// Great ones first.
    Down,
}

/// The rows that come after another one: `(key, id) > ($1, $2)`, or `<`. As one comparison of rows: an index on
/// both columns begins right behind that row then, however many others have the same key.
#[derive(Debug)]
pub(crate) struct Beyond<K, I, V> {
    columns: (K, I),
    direction: Direction,
    last: (V, Uuid),
}

/// The rows that come after the one with this key and this id.
pub(crate) fn beyond<K, I, V>(columns: (K, I), direction: Direction, last: (V, Uuid)) -> Beyond<K, I, V> {
    Beyond { columns, direction, last }
}

impl<K: Expression, I, V> Expression for Beyond<K, I, V> {
    type SqlType = Bool;
}

impl<K, I, V> ValidGrouping<()> for Beyond<K, I, V> {
    type IsAggregate = is_aggregate::No;
}

impl<K, I, V, Q> AppearsOnTable<Q> for Beyond<K, I, V>
where
    K: AppearsOnTable<Q>,
    I: AppearsOnTable<Q>,
{
}

impl<K, I, V, Q> SelectableExpression<Q> for Beyond<K, I, V>
where
    K: SelectableExpression<Q>,
    I: SelectableExpression<Q>,
{
}

impl<K, I, V> QueryId for Beyond<K, I, V> {
    type QueryId = ();
    // Two directions, one type: the statement is known by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<K, I, V> QueryFragment<Pg> for Beyond<K, I, V>
where
    K: Expression + QueryFragment<Pg>,
    I: Expression<SqlType = SqlUuid> + QueryFragment<Pg>,
    V: ToSql<K::SqlType, Pg>,
    Pg: HasSqlType<K::SqlType>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(");
        self.columns.0.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.columns.1.walk_ast(out.reborrow())?;
        out.push_sql(match self.direction {
            Direction::Up => ") > (",
            Direction::Down => ") < (",
        });
        out.push_bind_param::<K::SqlType, V>(&self.last.0)?;
        out.push_sql(", ");
        out.push_bind_param::<SqlUuid, Uuid>(&self.last.1)?;
        out.push_sql(")");
        Ok(())
    }
}
