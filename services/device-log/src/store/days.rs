//! The days' partitions.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use crate::domain::{Day, Days};

/// One pod at a time makes and drops days: the key of the advisory lock ("days").
const LOCK: i64 = 0x6461_7973;
/// PostgreSQL's `lock_not_available`.
const LOCK_TIMEOUT: &str = "55P03";

/// Makes the days that are due and drops those that are over; says what was done.
pub(crate) async fn turn_days(
    pool: &PgPool,
    now: DateTime<Utc>,
    keep_days: u16,
) -> sqlx::Result<Days> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", LOCK)
        .execute(&mut *tx)
        .await?;
    let mut due = Days::due(&there(&mut tx).await?, now, keep_days);
    for day in &due.make {
        make(&mut tx, *day).await?;
    }
    tx.commit().await?;
    let mut dropped = Vec::new();
    for day in due.drop {
        if drop_day(&mut connection, day).await? {
            dropped.push(day);
        }
    }
    due.drop = dropped;
    Ok(due)
}

/// Entries under ids of no kept day stay as long as their lines are young enough.
pub(crate) async fn forget_others(pool: &PgPool, oldest: DateTime<Utc>) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "DELETE FROM devicelog.entry_other WHERE last_at < $1",
        oldest
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

async fn there(tx: &mut PgConnection) -> sqlx::Result<Vec<Day>> {
    let names = sqlx::query_scalar!(
        r#"SELECT child.relname AS "name!: String"
           FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
           WHERE inhparent = 'devicelog.entry'::regclass"#,
    )
    .fetch_all(tx)
    .await?;
    Ok(names
        .iter()
        .filter_map(|name| Day::from_table(name))
        .collect())
}

/// Attached rather than created in place, which would stop every writer and reader; what came
/// under this day's ids before there was the day is taken along, or it could not be attached.
async fn make(tx: &mut PgConnection, day: Day) -> sqlx::Result<()> {
    let (table, (low, high)) = (day.table(), day.bounds());
    for statement in [
        format!("CREATE TABLE devicelog.{table} (LIKE devicelog.entry INCLUDING DEFAULTS)"),
        format!(
            "WITH moved AS (
                 DELETE FROM devicelog.entry_other WHERE message_id >= '{low}' AND message_id < '{high}' RETURNING *
             ) INSERT INTO devicelog.{table} SELECT * FROM moved"
        ),
        format!("ALTER TABLE devicelog.entry ATTACH PARTITION devicelog.{table} FOR VALUES FROM ('{low}') TO ('{high}')"),
    ] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *tx).await?;
    }
    Ok(())
}

/// Needs a moment with no reader or writer; rather than let them queue up behind a long
/// query it gives up (false), and the next turn tries again.
async fn drop_day(connection: &mut PgConnection, day: Day) -> sqlx::Result<bool> {
    let mut tx = connection.begin().await?;
    sqlx::query!("SET LOCAL lock_timeout = '2s'")
        .execute(&mut *tx)
        .await?;
    let statement = format!("DROP TABLE IF EXISTS devicelog.{}", day.table());
    match sqlx::query(AssertSqlSafe(statement))
        .execute(&mut *tx)
        .await
    {
        Ok(_) => tx.commit().await.map(|()| true),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(LOCK_TIMEOUT) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
