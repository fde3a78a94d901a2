//! What of a service's refusal may be shown outside.
//!
//! A refusal of ours carries details, and its text is written for the asker. A status without
//! details was made on the way (by the transport, or by a library), and its text may name
//! addresses and inner errors: it is logged, and shown in general words.

use chassis::Refusal;
use tonic::{Code, Status};

use crate::contract::Operation;

pub(super) fn shown(status: Status, operation: &Operation) -> Status {
    if !status.details().is_empty() && status.code() != Code::Unauthenticated {
        return status;
    }
    let refusal = match status.code() {
        Code::DeadlineExceeded | Code::Cancelled => {
            Refusal::new(Code::DeadlineExceeded, "no answer in time")
        }
        Code::Unavailable => {
            let error = status.message();
            tracing::warn!(rpc.method = operation.rpc, error, "a service is away");
            Refusal::unavailable("the service")
        }
        Code::Unimplemented => Refusal::new(
            Code::Unimplemented,
            "the service does not know this operation yet",
        ),
        // Who asks was checked here: a service that does not know us is set up wrongly.
        Code::Internal | Code::Unknown | Code::DataLoss | Code::Unauthenticated => {
            Refusal::internal(anyhow::anyhow!(
                "{}: {:?}: {}",
                operation.rpc,
                status.code(),
                status.message()
            ))
        }
        _ => return status,
    };
    refusal.into()
}
