//! The verdict on a message that nobody sent.

use chassis::{Caller, Refusal};
use proto::hoshu::thing::v1::{CheckMessageRequest, CheckMessageResponse, Fault};
use thing_model::{Report, fault};

use crate::Thing;
use crate::domain::judge;

pub(super) async fn check(
    thing: &Thing,
    caller: Caller,
    request: CheckMessageRequest,
) -> Result<CheckMessageResponse, Refusal> {
    thing
        .registry
        .product(&caller, &request.product_key)
        .await?;
    let product = thing
        .models
        .get(&request.product_key)
        .await
        .map_err(Refusal::internal)?;
    let params = match request.params.as_str() {
        "" => "{}",
        params => params,
    };
    let now = thing.chassis.clock().now_ms();
    let mut report = Report::new();
    let faults = judge::check(
        &request.method,
        params,
        product.as_deref(),
        &mut report,
        now,
    );
    Ok(CheckMessageResponse {
        valid: faults.is_empty(),
        code: faults.first().map_or(fault::SUCCESS, |fault| fault.code),
        errors: faults
            .into_iter()
            .map(|fault| Fault {
                pointer: fault.pointer,
                code: fault.code,
                message: fault.message,
            })
            .collect(),
    })
}
