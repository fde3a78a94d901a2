//! What gateway nodes ask: sessions given, given back, and kept alive.

use alink::connect::ConnectRefusal;
use chassis::{Fault, Refusal};
use chrono::DateTime;
use proto::hoshu::registry::internal::v1::claim_session_response::Verdict as WireVerdict;
use proto::hoshu::registry::internal::v1::release::Reason;
use proto::hoshu::registry::internal::v1::{
    ClaimSessionRequest, ClaimSessionResponse, PreviousSession, RefusedConnect as WireRefused,
    Release, ReleaseSessionsRequest, ReleaseSessionsResponse, RenewLeaseRequest,
    RenewLeaseResponse, Session, TellRefusalsRequest, TellRefusalsResponse,
};

use super::wire;
use crate::domain::session::{Claim, End, EndReason, RefusedConnect, Verdict};
use crate::sessions::{self, Answer, Tidings};
use crate::{Registry, store};

/// Releases in one request, and so in one transaction.
const RELEASES: usize = 10_000;
/// Refused CONNECTs in one request.
const REFUSALS: usize = 1000;
/// Bytes of a text that a node says of itself or a connection.
const TEXT_BYTES: usize = 128;

pub(super) async fn claim(
    registry: &Registry,
    request: ClaimSessionRequest,
) -> Result<ClaimSessionResponse, Refusal> {
    let claim = read(request)?;
    let answer = registry
        .claims
        .ask(claim, registry.chassis.clock().now_ms())
        .await?;
    Ok(write(answer))
}

pub(super) async fn release(
    registry: &Registry,
    request: ReleaseSessionsRequest,
) -> Result<ReleaseSessionsResponse, Refusal> {
    if request.releases.len() > RELEASES {
        return Err(Refusal::invalid(
            "/releases",
            format!("at most {RELEASES} in one request"),
        ));
    }
    let ends: Vec<_> = request
        .releases
        .into_iter()
        .map(|release| end(registry, release))
        .collect();
    sessions::end(registry, &ends, Tidings::default()).await?;
    Ok(ReleaseSessionsResponse {})
}

pub(super) async fn tell_refusals(
    registry: &Registry,
    request: TellRefusalsRequest,
) -> Result<TellRefusalsResponse, Refusal> {
    if request.refusals.len() > REFUSALS {
        return Err(Refusal::invalid(
            "/refusals",
            format!("at most {REFUSALS} in one request"),
        ));
    }
    // What cannot be a device's is an unknown one's.
    let refusals = request.refusals.into_iter().filter_map(refused).collect();
    sessions::tell_refusals(registry, refusals).await?;
    Ok(TellRefusalsResponse {})
}

pub(super) async fn renew(
    registry: &Registry,
    request: RenewLeaseRequest,
) -> Result<RenewLeaseResponse, Refusal> {
    if let Some(fault) = text_fault("/node", &request.node) {
        return Err(Refusal::faults(vec![fault]));
    }
    let mut tx = registry.pool.begin().await?;
    let lapsed = store::lease::renew(&mut tx, &request.node, registry.now()).await?;
    tx.commit().await?;
    Ok(RenewLeaseResponse { lapsed })
}

fn read(request: ClaimSessionRequest) -> Result<Claim, Refusal> {
    let device = alink::Device::parse(&request.product_key, &request.device_name);
    let sign_method = request.sign_method.parse();
    let texts = [
        ("/node", &request.node),
        ("/clientAddress", &request.client_address),
        ("/protocol", &request.protocol),
    ];
    let mut faults = Vec::from_iter(
        texts
            .into_iter()
            .filter_map(|(pointer, text)| text_fault(pointer, text)),
    );
    if let Err(bad) = &device {
        faults.push(Fault::new("/deviceName", bad.to_string()));
    }
    if sign_method.is_err() {
        faults.push(Fault::new(
            "/signMethod",
            "must be hmacmd5, hmacsha1 or hmacsha256",
        ));
    }
    match (device, sign_method) {
        (Ok(device), Ok(sign_method)) if faults.is_empty() => Ok(Claim {
            device,
            sign_method,
            content: request.signed_content,
            signature: request.signature,
            node: request.node,
            client_address: request.client_address,
            protocol: request.protocol,
        }),
        _ => Err(Refusal::faults(faults)),
    }
}

/// One text that the database does not take would fail a whole group.
fn text_fault(pointer: &str, text: &str) -> Option<Fault> {
    let bad = text.is_empty() || text.len() > TEXT_BYTES || text.chars().any(char::is_control);
    bad.then(|| {
        Fault::new(
            pointer,
            format!("must be 1 to {TEXT_BYTES} bytes without control characters"),
        )
    })
}

fn write(answer: Answer) -> ClaimSessionResponse {
    let verdict = match answer.verdict {
        Verdict::Accepted => WireVerdict::Accepted,
        Verdict::Unknown => WireVerdict::UnknownDevice,
        Verdict::WrongSignature => WireVerdict::WrongSignature,
        Verdict::Disabled => WireVerdict::Disabled,
        Verdict::TooManyAttempts => WireVerdict::TooManyAttempts,
    };
    let session = answer.granted.map(|(known, session)| {
        let (node_type, data_format, edition) = wire::traits(known.traits);
        Session {
            number: session.number as u64,
            account_id: known.account_id,
            device_id: known.device_id,
            iot_id: known.iot_id,
            node_type,
            data_format,
            edition,
        }
    });
    ClaimSessionResponse {
        verdict: verdict.into(),
        session,
        previous: answer.previous.map(|previous| PreviousSession {
            node: previous.node,
            number: previous.number as u64,
        }),
    }
}

fn refused(refused: WireRefused) -> Option<RefusedConnect> {
    let why = ConnectRefusal::ALL
        .into_iter()
        .find(|why| why.reason() == refused.reason)?;
    let texts = [&refused.client_address, &refused.protocol];
    if texts.into_iter().any(|text| text_fault("", text).is_some()) {
        return None;
    }
    Some(RefusedConnect {
        device: alink::Device::parse(&refused.product_key, &refused.device_name).ok()?,
        why,
        client_address: refused.client_address,
        protocol: refused.protocol,
        at: DateTime::from_timestamp_millis(refused.at)?,
    })
}

fn end(registry: &Registry, release: Release) -> End {
    let reason = match release.reason() {
        Reason::DeviceDisconnect => EndReason::Disconnect,
        Reason::ConnectionReset => EndReason::ConnectionReset,
        Reason::KeepaliveTimeout => EndReason::KeepaliveTimeout,
        Reason::Kicked => EndReason::Kicked,
        Reason::ConnectionException | Reason::Unspecified => EndReason::Exception(release.detail),
    };
    End {
        device_id: release.device_id,
        number: release.session as i64,
        reason,
        at: DateTime::from_timestamp_millis(release.at).unwrap_or_else(|| registry.now()),
    }
}
