//! Which errors waiting mends.

use chassis::{Refusal, database_is_away};
use tonic::Code;

/// Whether a store or a service was away, so that the same work can succeed later unchanged.
pub(crate) fn is_away(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        if let Some(error) = cause.downcast_ref::<sqlx::Error>() {
            return database_is_away(error);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_away_is_found_below_what_is_said_of_it() {
        assert!(is_away(
            &anyhow::Error::from(sqlx::Error::PoolTimedOut).context("saving")
        ));
        assert!(is_away(&anyhow::Error::from(tonic::Status::unavailable(
            "x"
        ))));
        assert!(!is_away(&anyhow::anyhow!("wrong")));
    }
}
