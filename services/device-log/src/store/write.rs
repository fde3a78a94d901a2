//! Rows go in once each, however often they are told.

use std::ops::AddAssign;

use sqlx::PgPool;
use sqlx::postgres::PgPoolCopyExt;

use super::{Row, copy};

/// Rows of one transaction: more costs a failed one more, fewer pay more commits.
const MOST_ROWS: usize = 4_000;
/// Bytes of lines of one transaction, since a row may be large.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// PostgreSQL's `unique_violation`.
const DUPLICATE: &str = "23505";

/// What became of rows that were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) new: u64,
    /// Were there already.
    pub(crate) again: u64,
}

impl AddAssign for Written {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.again += other.again;
    }
}

/// Writes all rows, in transactions of a bounded size; returns when the last is committed.
pub(crate) async fn write(pool: &PgPool, mut rows: Vec<Row>) -> sqlx::Result<Written> {
    // In one order, so that pods that are told the same rows cannot wait for each other.
    rows.sort_unstable_by_key(|row| (row.message_id, row.part));
    let mut written = Written::default();
    let mut rest = rows.as_slice();
    while !rest.is_empty() {
        let (portion, others) = rest.split_at(portion(rest));
        written += write_portion(pool, portion).await?;
        rest = others;
    }
    Ok(written)
}

fn portion(rows: &[Row]) -> usize {
    let mut bytes = 0;
    let fitting = rows.iter().take(MOST_ROWS).take_while(|row| {
        bytes += row.lines.len();
        bytes <= MOST_BYTES
    });
    fitting.count().max(1)
}

/// COPY is the fastest way in, but knows no "unless it is there": nearly all rows are told
/// once, so it is tried first, and a portion with a duplicate is done again row by row.
async fn write_portion(pool: &PgPool, rows: &[Row]) -> sqlx::Result<Written> {
    let all = rows.len() as u64;
    let new = match copy_in(pool, rows).await {
        Ok(new) => new,
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(DUPLICATE) => {
            insert(pool, rows).await?
        }
        Err(error) => return Err(error),
    };
    Ok(Written {
        new,
        again: all - new,
    })
}

async fn copy_in(pool: &PgPool, rows: &[Row]) -> sqlx::Result<u64> {
    let mut copy = pool.copy_in_raw(copy::STATEMENT).await?;
    copy.send(copy::encode(rows)).await?;
    copy.finish().await
}

async fn insert(pool: &PgPool, rows: &[Row]) -> sqlx::Result<u64> {
    let message_ids: Vec<_> = rows.iter().map(|row| row.message_id).collect();
    let products: Vec<_> = rows.iter().map(|row| row.product).collect();
    let devices: Vec<_> = rows.iter().map(|row| row.device).collect();
    let first: Vec<_> = rows.iter().map(|row| row.first_at).collect();
    let last: Vec<_> = rows.iter().map(|row| row.last_at).collect();
    let parts: Vec<_> = rows.iter().map(|row| row.part).collect();
    let marks: Vec<_> = rows.iter().map(|row| row.marks).collect();
    let strays: Vec<_> = rows.iter().map(|row| row.stray).collect();
    let lines: Vec<&[u8]> = rows.iter().map(|row| row.lines.as_slice()).collect();
    let done = sqlx::query!(
        "INSERT INTO devicelog.entry
            (message_id, product, device, first_at, last_at, part, marks, stray, lines)
         SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[],
                              $6::integer[], $7::smallint[], $8::boolean[], $9::bytea[])
         ON CONFLICT DO NOTHING",
        &message_ids,
        &products,
        &devices,
        &first,
        &last,
        &parts,
        &marks,
        &strays,
        &lines as &[&[u8]],
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
