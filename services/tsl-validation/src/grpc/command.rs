//! Sets and calls.

use std::time::Duration;

use alink::limits::RRPC_TIMEOUT_SECONDS;
use chassis::{Caller, Fault, Phase, Refusal};
use proto::hoshu::thing::v1::*;
use thing_model::fault::METHOD_NOT_FOUND;
use tokio::sync::oneshot;
use tracing::Instrument;

use crate::Thing;
use crate::commands::{self, Order};
use crate::domain::command::{PARAMS_BYTES, SERVICE_BYTES};

/// Seconds that the answer to a set or an asynchronous call is awaited.
const WAIT_SECONDS: std::ops::RangeInclusive<u32> = 0..=30;
const DEFAULT_SECONDS: u32 = 5;

pub(super) async fn set(
    thing: &Thing,
    caller: Caller,
    request: SetPropertiesRequest,
) -> Result<CommandResult, Refusal> {
    let order = Order {
        caller,
        product_key: request.product_key,
        device_name: request.device_name,
        service: None,
        params: request.params,
        wait: seconds(request.wait_seconds),
        timeout: seconds(None),
    };
    check(&order, request.wait_seconds, None)?;
    run(thing, order).await
}

pub(super) async fn call(
    thing: &Thing,
    caller: Caller,
    request: CallServiceRequest,
) -> Result<CommandResult, Refusal> {
    let params = match request.params.as_str() {
        "" => "{}".to_owned(),
        _ => request.params,
    };
    let order = Order {
        caller,
        product_key: request.product_key,
        device_name: request.device_name,
        service: Some(request.identifier),
        params,
        wait: seconds(request.wait_seconds),
        timeout: seconds(request.timeout_seconds),
    };
    check(&order, request.wait_seconds, request.timeout_seconds)?;
    run(thing, order).await
}

/// What has nothing to do with the device: refused without a line.
fn check(order: &Order, wait: Option<u32>, timeout: Option<u32>) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    let bounds = [
        ("/waitSeconds", wait, WAIT_SECONDS),
        ("/timeoutSeconds", timeout, RRPC_TIMEOUT_SECONDS),
    ];
    for (pointer, seconds, range) in bounds {
        if let Some(seconds) = seconds.filter(|seconds| !range.contains(seconds)) {
            let message = format!("{seconds} is not from {} to {}", range.start(), range.end());
            faults.push(Fault::new(pointer, message));
        }
    }
    if order.params.len() > PARAMS_BYTES {
        let message = format!("{} bytes are more than {PARAMS_BYTES}", order.params.len());
        faults.push(Fault::new("/params", message));
    }
    let service = order.service.as_ref().map_or(0, String::len);
    if service > SERVICE_BYTES {
        let message = format!("no service has a name of {service} bytes");
        let fault = Fault::new("/identifier", message).with_code(METHOD_NOT_FOUND);
        faults.push(fault);
    }
    let code = faults.iter().find_map(|fault| fault.code);
    match (faults.is_empty(), code) {
        (true, _) => Ok(()),
        (false, None) => Err(Refusal::faults(faults)),
        (false, Some(code)) => Err(Refusal::faults(faults).with_code(code)),
    }
}

fn seconds(seconds: Option<u32>) -> Duration {
    Duration::from_secs(u64::from(seconds.unwrap_or(DEFAULT_SECONDS)))
}

/// Runs apart from the request: a caller who leaves must not leave a command half done.
async fn run(thing: &Thing, order: Order) -> Result<CommandResult, Refusal> {
    let (tell, told) = oneshot::channel();
    let stopping = thing.chassis.stopping(Phase::Door);
    let running = commands::run(thing.clone(), order);
    let task = async move {
        // Peers can ask until the end; what begins now may be cut short between the device and the log.
        let done = match stopping.is_cancelled() {
            true => Err(Refusal::unavailable("the service")),
            false => running.await,
        };
        // The caller may have left.
        let _ = tell.send(done);
    };
    thing.chassis.track(Phase::Door, task.in_current_span());
    told.await
        .unwrap_or_else(|_| Err(Refusal::unavailable("the service")))
}
