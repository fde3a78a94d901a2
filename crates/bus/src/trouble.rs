//! Which errors waiting mends.

use chassis::Refusal;
use tonic::Code;

/// Whether a store or a service was away, so that the same work can succeed later unchanged.
pub(crate) fn is_away(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        if let Some(error) = cause.downcast_ref::<sqlx::Error>() {
            return sql_is_away(error);
        }
        if let Some(status) = cause.downcast_ref::<tonic::Status>() {
            return code_is_away(status.code());
        }
        if let Some(refusal) = cause.downcast_ref::<Refusal>() {
            return code_is_away(refusal.kind);
        }
        cause.is::<tokio::time::error::Elapsed>() || cause.is::<std::io::Error>()
    })
}

fn code_is_away(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled
    )
}

fn sql_is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| state_is_away(&code)),
        _ => false,
    }
}

/// By PostgreSQL's SQLSTATE (its appendix A).
fn state_is_away(state: &str) -> bool {
    // Connection, out of resources (also a full disk), shutdown or recovery, I/O error, read-only standby;
    // and transactions that met another's.
    ["08", "53", "57P", "58", "25006", "40001", "40P01"]
        .iter()
        .any(|class| state.starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_away_is_waited_for_and_a_wrong_row_is_not() {
        for away in ["08006", "53100", "57P01", "57P03", "40P01", "25006"] {
            assert!(state_is_away(away), "{away}");
        }
        for wrong in ["23505", "22P02", "42P01", "57014"] {
            assert!(!state_is_away(wrong), "{wrong}");
        }
        assert!(is_away(
            &anyhow::Error::from(sqlx::Error::PoolTimedOut).context("saving")
        ));
        assert!(is_away(&anyhow::Error::from(tonic::Status::unavailable(
            "x"
        ))));
        assert!(!is_away(&anyhow::anyhow!("wrong")));
    }
}
