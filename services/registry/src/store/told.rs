//! What is still to be told of sessions: written with the change, deleted when it is told.

use sqlx::PgConnection;

/// What a row's batch is, and so where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A `LogBatch` for LOG.
    Lines,
    /// A `PresenceBatch` for PRESENCE.
    Presence,
    /// A `DownBatch` for one node: connections to be closed.
    Closings,
}

impl Kind {
    fn code(self) -> i16 {
        match self {
            Self::Lines => 1,
            Self::Presence => 2,
            Self::Closings => 3,
        }
    }

    fn from_code(code: i16) -> sqlx::Result<Self> {
        match code {
            1 => Ok(Self::Lines),
            2 => Ok(Self::Presence),
            3 => Ok(Self::Closings),
            other => Err(sqlx::Error::Decode(
                format!("no kind of tiding has the number {other}").into(),
            )),
        }
    }
}

/// A batch to be told, encoded.
pub(crate) struct Tiding {
    pub(crate) kind: Kind,
    /// The node that is told, where one is.
    pub(crate) node: Option<String>,
    pub(crate) batch: Vec<u8>,
}

pub(crate) async fn insert(db: &mut PgConnection, tidings: Vec<Tiding>) -> sqlx::Result<()> {
    if tidings.is_empty() {
        return Ok(());
    }
    let (mut kinds, mut nodes, mut batches) = (Vec::new(), Vec::new(), Vec::new());
    for tiding in tidings {
        kinds.push(tiding.kind.code());
        nodes.push(tiding.node);
        batches.push(tiding.batch);
    }
    sqlx::query!(
        "INSERT INTO registry.told (kind, node, batch)
         SELECT * FROM unnest($1::smallint[], $2::text[], $3::bytea[])",
        &kinds,
        &nodes as &[Option<String>],
        &batches,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The oldest of these kinds that no other pod is telling, locked until the transaction ends.
pub(crate) async fn oldest(
    db: &mut PgConnection,
    kinds: &[Kind],
    limit: i64,
) -> sqlx::Result<Vec<(i64, Tiding)>> {
    let kinds: Vec<_> = kinds.iter().map(|kind| kind.code()).collect();
    let rows = sqlx::query!(
        "SELECT id, kind, node, batch FROM registry.told WHERE kind = ANY($1)
         ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED",
        &kinds,
        limit,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let tiding = Tiding {
                kind: Kind::from_code(row.kind)?,
                node: row.node,
                batch: row.batch,
            };
            Ok((row.id, tiding))
        })
        .collect()
}

pub(crate) async fn delete(db: &mut PgConnection, ids: &[i64]) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM registry.told WHERE id = ANY($1)", ids)
        .execute(db)
        .await?;
    Ok(())
}
