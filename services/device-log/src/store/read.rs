//! The filter's query. Every value is bound; what is pushed as text is written here.

use chassis::page::PAGE_BYTES;
use futures::TryStreamExt;
use sqlx::{PgPool, Postgres, QueryBuilder, Row as _};

use super::row;
use crate::domain::{Entry, Filter, Key, Marks, Position};

/// PostgreSQL's `query_canceled`.
const CANCELED: &str = "57014";

/// The newest entries, at most `limit`, that may have lines for the filter below `before`; fewer
/// when they are the last, or when they are as heavy as a page may be, which is said.
///
/// A search that finds too little in too many lines is ended after 8 s ([`took_too_long`]),
/// within the 10 s that its asker waits.
///
/// Two things are left to the caller: an entry may be of another device whose numbers are
/// the same, and not all of its lines are what is wanted.
pub(crate) async fn older(
    pool: &PgPool,
    filter: &Filter,
    before: Option<Position>,
    limit: i64,
) -> anyhow::Result<(Vec<Entry>, bool)> {
    let mut tx = pool.begin().await?;
    sqlx::query!("SET LOCAL statement_timeout = '8s'")
        .execute(&mut *tx)
        .await?;
    // Planned for its values (not kept as a prepared statement): the days to look at and
    // the index to take depend on them.
    let mut query = query(filter, before, limit);
    let mut rows = query.build().persistent(false).fetch(&mut *tx);
    let (mut entries, mut bytes) = (Vec::new(), 0);
    while bytes < PAGE_BYTES
        && let Some(row) = rows.try_next().await?
    {
        let lines: &[u8] = row.try_get(2)?;
        bytes += lines.len();
        entries.push(row::entry(row.try_get(0)?, row.try_get(1)?, lines)?);
    }
    drop(rows);
    tx.commit().await?;
    Ok((entries, bytes >= PAGE_BYTES))
}

pub(crate) fn took_too_long(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.code().as_deref() == Some(CANCELED))
}

fn query(filter: &Filter, before: Option<Position>, limit: i64) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("");
    let (low, high) = filter.times.message_ids();
    if low.is_none() && high.is_none() {
        select(&mut sql, filter, before);
    } else {
        // Line times are near the message ids' times, so a span of days is a span of ids;
        // the few rows of which that is not true have an index of their own.
        sql.push("SELECT * FROM (");
        select(&mut sql, filter, before);
        sql.push(" AND NOT stray");
        bound(&mut sql, " AND message_id >= ", low);
        bound(&mut sql, " AND message_id < ", high);
        newest(&mut sql, limit);
        sql.push(") AS ordinary UNION ALL SELECT * FROM (");
        select(&mut sql, filter, before);
        sql.push(" AND stray");
        newest(&mut sql, limit);
        sql.push(") AS strays");
    }
    newest(&mut sql, limit);
    sql
}

fn select(sql: &mut QueryBuilder<Postgres>, filter: &Filter, before: Option<Position>) {
    sql.push("SELECT message_id, part, lines FROM devicelog.entry WHERE product = ");
    sql.push_bind(Key::product(&filter.product).number());
    if let Some(name) = &filter.device {
        let device = alink::Device::new(filter.product.clone(), name.clone());
        bound(sql, " AND device = ", Some(Key::device(&device).number()));
    }
    bound(
        sql,
        " AND message_id = ",
        filter.message_id.map(|id| id.uuid()),
    );
    if !filter.marks.takes_all() {
        sql.push(" AND marks & ")
            .push_bind(filter.marks.number())
            .push(" <> 0");
    }
    if filter.marks.takes_only_failures() {
        // As the index of failures has it.
        sql.push(format_args!(
            " AND marks & {} <> 0",
            Marks::FAILURES.number()
        ));
    }
    bound(sql, " AND last_at >= ", filter.times.from);
    bound(sql, " AND first_at < ", filter.times.to);
    if let Some(before) = before {
        // The first comparison says nothing new, but lets whole days be left out.
        let id = before.message_id.uuid();
        bound(sql, " AND message_id <= ", Some(id));
        sql.push(if before.ends_entry() {
            " AND (message_id, part) < ("
        } else {
            " AND (message_id, part) <= ("
        });
        sql.push_bind(id);
        // A cursor's part is a stranger's word: over every row's, it is the same as the highest.
        sql.push(", ")
            .push_bind(i32::try_from(before.part).unwrap_or(i32::MAX))
            .push(")");
    }
}

fn bound<'q, T>(sql: &mut QueryBuilder<Postgres>, condition: &str, value: Option<T>)
where
    T: 'q + sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres>,
{
    if let Some(value) = value {
        sql.push(condition).push_bind(value);
    }
}

fn newest(sql: &mut QueryBuilder<Postgres>, limit: i64) {
    sql.push(" ORDER BY message_id DESC, part DESC LIMIT ")
        .push_bind(limit);
}
