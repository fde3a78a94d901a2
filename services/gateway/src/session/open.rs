//! From an accepted stream to a session: CONNECT, claim, CONNACK.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use alink::MessageId;
use alink::connect::{self, Connect, ConnectRefusal, Transport};
use bytes::BytesMut;
use chassis::Phase;
use proto::hoshu::{
    bus::v1::{Close, Down, DownBatch, close::Why, down::Action},
    registry::internal::v1::{
        ClaimSessionRequest, ClaimSessionResponse, PreviousSession, RefusedConnect,
        Session as Claimed, claim_session_response::Verdict,
    },
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use super::{
    connection::Connection,
    state::{Persistence, Session},
};
use crate::{
    directory::Handle,
    domain::{
        acks::Acks, aliases::Aliases, ending::End, heard::Heard, inflight::Inflight, rate::Meter,
        reading::Reading, refused::Refusals,
    },
    facts::Facts,
    gateway::Gateway,
    mqtt::{
        Wire,
        connect::{Connecting, Opening, Welcome, opening},
    },
    store::session::{Resume, Resumed},
};

/// Bytes of a CONNECT: ample credentials and the longest will.
const CONNECT_BYTES: usize = 80 * 1024;
const BAD_AUTHENTICATION_METHOD: u8 = 0x8C;
const PACKET_TOO_LARGE: u8 = 0x95;
const RETAIN_NOT_SUPPORTED: u8 = 0x9A;
const QOS_NOT_SUPPORTED: u8 = 0x9B;
/// A CONNECT comes in one piece, but for a slow line or somebody who wants to be woken for.
const BETWEEN_PIECES: Duration = Duration::from_millis(20);
/// How long a device's former connection may take to store what it leaves.
const TAKE_OVER: Duration = Duration::from_secs(2);

/// A device that has said well who it is.
pub(crate) struct Greeting {
    pub(crate) wire: Wire,
    pub(crate) connecting: Connecting,
    /// What came behind the CONNECT.
    pub(crate) input: BytesMut,
}

/// Why nobody is let in.
pub(crate) enum Refused {
    /// It gets no answer.
    Silently(&'static str),
    /// It gets a CONNACK.
    Because(Box<Wire>, ConnectRefusal),
}

/// Lets a device in, or answers why not.
pub(super) async fn open<S>(
    gateway: &Arc<Gateway>,
    mut io: S,
    peer: SocketAddr,
    transport: Transport,
    until: Instant,
) -> Option<Connection<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let stop = gateway.chassis.stopping(Phase::Door);
    let rest = async || tokio::time::sleep(BETWEEN_PIECES).await;
    let greeting = stop
        .run_until_cancelled(tokio::time::timeout_at(until, greet(&mut io, rest)))
        .await?;
    let greeted = Instant::now();
    let admitted = match greeting {
        // Boxed, so that who has not said its CONNECT yet does not hold what judging it needs.
        Ok(Ok(greeting)) => Box::pin(admit(gateway, greeting, peer, transport)).await,
        Ok(Err(refused)) => Err(refused),
        Err(_) => Err(Refused::Silently("no CONNECT in time")),
    };
    match admitted {
        Ok((session, input, output)) => {
            gateway.metrics.connected(greeted.elapsed());
            Some(Connection {
                io,
                input,
                output,
                session,
                blocked_since: None,
            })
        }
        Err(Refused::Silently(reason)) => {
            gateway.metrics.connect_failed(reason);
            None
        }
        Err(Refused::Because(mut wire, refusal)) => {
            refuse(gateway, &mut wire, &mut io, peer, refusal).await;
            None
        }
    }
}

async fn refuse<S: AsyncWrite + Unpin>(
    gateway: &Gateway,
    wire: &mut Wire,
    io: &mut S,
    peer: SocketAddr,
    refusal: ConnectRefusal,
) {
    gateway.metrics.connect_failed(refusal.reason());
    if !matches!(
        refusal,
        ConnectRefusal::NotReady | ConnectRefusal::TooManyAttempts
    ) {
        gateway.attempt_failed(peer.ip());
    }
    tracing::debug!(%peer, reason = refusal.reason(), "connection refused");
    let mut output = BytesMut::new();
    wire.connack_refused(&mut output, refusal.connack_v3(), refusal.connack_v5());
    // Who has gone misses nothing.
    let _ = tokio::time::timeout(Duration::from_secs(1), async {
        io.write_all(&output).await?;
        io.shutdown().await
    })
    .await;
}

/// `rest` is what a CONNECT that comes in pieces waits for between two.
pub(crate) async fn greet<S: AsyncRead + AsyncWrite + Unpin>(
    io: &mut S,
    rest: impl AsyncFn(),
) -> Result<Greeting, Refused> {
    let mut input = BytesMut::new();
    let level = loop {
        match opening(&input, CONNECT_BYTES) {
            Opening::Connect { level } => break level,
            Opening::UnknownLevel { level } => {
                // Those that came before 5 understand the answer of 3.1.1, those after it the one of 5.
                let wire = if level > 5 { Wire::v5(0) } else { Wire::v3(0) };
                return Err(Refused::Because(
                    Box::new(wire),
                    ConnectRefusal::ProtocolLevel,
                ));
            }
            Opening::NotMqtt => return Err(Refused::Silently("not MQTT")),
            // A full buffer says that there may be more of it already.
            Opening::Incomplete if input.len() == input.capacity() => {}
            Opening::Incomplete => rest().await,
        }
        if !matches!(io.read_buf(&mut input).await, Ok(1..)) {
            return Err(Refused::Silently("closed before CONNECT"));
        }
    };
    let mut wire = match level {
        5 => Wire::v5(CONNECT_BYTES),
        _ => Wire::v3(CONNECT_BYTES),
    };
    let connecting = wire
        .read_connect(&mut input)
        .map_err(|_| Refused::Silently("malformed CONNECT"))?;
    if let Some((code, why)) = beyond_us(&wire, &connecting) {
        let mut output = BytesMut::new();
        wire.connack_refused(&mut output, 0, code);
        let _ = io.write_all(&output).await;
        return Err(Refused::Silently(why));
    }
    Ok(Greeting {
        wire,
        connecting,
        input,
    })
}

/// What only MQTT 5 asks for or has an answer to, and we do not offer: the answer, and its name.
fn beyond_us(wire: &Wire, connecting: &Connecting) -> Option<(u8, &'static str)> {
    let will = connecting.will.as_ref();
    match connecting.level {
        5 if connecting.has_auth_method => {
            Some((BAD_AUTHENTICATION_METHOD, "authentication method"))
        }
        5 if will.is_some_and(|will| will.qos > 1) => Some((QOS_NOT_SUPPORTED, "QoS 2 will")),
        5 if will.is_some_and(|will| will.retain) => Some((RETAIN_NOT_SUPPORTED, "retained will")),
        5 if !wire.takes_connack() => Some((PACKET_TOO_LARGE, "packets too small for a CONNACK")),
        _ => None,
    }
}

async fn admit(
    gateway: &Arc<Gateway>,
    mut greeting: Greeting,
    peer: SocketAddr,
    transport: Transport,
) -> Result<(Session, BytesMut, BytesMut), Refused> {
    let because = |wire: Wire, refusal| Refused::Because(Box::new(wire), refusal);
    let (connect, keep_alive) = match judge(gateway, &greeting.connecting, peer, transport) {
        Ok(judged) => judged,
        Err(refusal) => {
            turn_away(gateway, &greeting.connecting, peer, refusal);
            return Err(because(greeting.wire, refusal));
        }
    };
    let claim = match claim(gateway, &connect, &greeting.connecting, peer).await {
        Ok(claim) => claim,
        Err(refusal) => return Err(because(greeting.wire, refusal)),
    };
    let (Some(claimed), previous) = (claim.session, claim.previous) else {
        return Err(because(greeting.wire, ConnectRefusal::NotReady));
    };
    let connecting = &greeting.connecting;
    let expiry = connecting
        .session_expiry
        .min(gateway.longest_session_seconds());
    let handle = Arc::new(Handle::new(claimed.device_id, claimed.number, expiry > 0));
    if !take_over(gateway, &handle, previous, !connecting.clean).await {
        return Err(because(greeting.wire, ConnectRefusal::NotReady));
    }
    let resume = Resume {
        device_id: claimed.device_id,
        session: claimed.number,
        automatic: connect.auto_subscribe,
        understands_ext: connect.understands_ext_rrpc(),
        resumes: !connecting.clean,
        is_kept: expiry > 0,
    };
    let resumed = match gateway.store.resume(&resume, gateway.clock.now_ms()).await {
        Ok(resumed) => resumed,
        Err(error) => {
            tracing::error!(
                error = format!("{error:#}"),
                "a session could not be restored"
            );
            give_back(gateway, &handle);
            return Err(because(greeting.wire, ConnectRefusal::NotReady));
        }
    };
    let welcome = Welcome {
        session_present: resumed.was_there,
        keep_alive,
        asked_keep_alive: connecting.keep_alive,
        session_expiry: expiry,
        asked_session_expiry: connecting.session_expiry,
        receive_maximum: gateway.config.up_unacknowledged,
        maximum_packet: u32::try_from(gateway.config.packet_bytes()).unwrap_or(u32::MAX),
        topic_aliases: alink::limits::TOPIC_ALIAS_MAXIMUM,
    };
    let mut output = BytesMut::new();
    greeting.wire.connack(&mut output, &welcome);
    let input = std::mem::take(&mut greeting.input);
    let mut made = Made {
        connect,
        claimed,
        handle,
        keep_alive,
        expiry,
    };
    let session = made.session(gateway, greeting, resumed, &mut output);
    Ok((session, input, output))
}

/// Everything that can be refused without asking anybody.
fn judge(
    gateway: &Gateway,
    connecting: &Connecting,
    peer: SocketAddr,
    transport: Transport,
) -> Result<(Connect, u16), ConnectRefusal> {
    if !gateway.may_attempt(peer.ip()) {
        return Err(ConnectRefusal::TooManyAttempts);
    }
    let connect = Connect::parse(
        &connecting.client_id,
        connecting.username.as_deref(),
        connecting.password.as_deref(),
    )?;
    if !connect
        .secure_mode
        .fits(transport, gateway.config.tls_modes_on_plain)
    {
        return Err(ConnectRefusal::SecureMode);
    }
    if connect.auth_type != connect::AuthType::Secret {
        return Err(ConnectRefusal::RegistrationOff);
    }
    let keep_alive = connect::keep_alive(connecting.keep_alive)?;
    Ok((connect, keep_alive))
}

/// The registry learns of a refusal that it was not asked about, if a device is named. An address that
/// fails too often makes no more of them.
fn turn_away(
    gateway: &Gateway,
    connecting: &Connecting,
    peer: SocketAddr,
    refusal: ConnectRefusal,
) {
    if refusal == ConnectRefusal::TooManyAttempts {
        return;
    }
    let Ok(device) = connect::device_of(connecting.username.as_deref()) else {
        return;
    };
    gateway.turned_away.push(device.clone(), || RefusedConnect {
        product_key: device.product_key.as_str().into(),
        device_name: device.device_name.as_str().into(),
        reason: refusal.reason().into(),
        client_address: peer.to_string(),
        protocol: protocol(connecting.level).into(),
        at: gateway.clock.now_ms(),
    });
}

/// As the activity lines name it.
fn protocol(level: u8) -> &'static str {
    match level {
        3 => "mqtt 3.1",
        4 => "mqtt 3.1.1",
        _ => "mqtt 5",
    }
}

async fn claim(
    gateway: &Gateway,
    connect: &Connect,
    connecting: &Connecting,
    peer: SocketAddr,
) -> Result<ClaimSessionResponse, ConnectRefusal> {
    let request = ClaimSessionRequest {
        product_key: connect.device.product_key.as_str().into(),
        device_name: connect.device.device_name.as_str().into(),
        sign_method: connect.sign_method.as_str().into(),
        signed_content: connect.signed_content().unwrap_or_default(),
        signature: connect.password.as_bytes().into(),
        node: gateway.chassis.node().into(),
        client_address: peer.to_string(),
        protocol: protocol(connecting.level).into(),
    };
    let response = match gateway.registry().claim_session(request).await {
        Ok(response) => response.into_inner(),
        Err(status) => {
            if let Some(times) = gateway.unasked.admit(gateway.clock.now_ms()) {
                tracing::warn!(%status, times, "the registry cannot be asked");
            }
            // It may have given us the session all the same.
            gateway.unclear.push(connect.device.clone());
            return Err(ConnectRefusal::NotReady);
        }
    };
    match response.verdict() {
        Verdict::Accepted => Ok(response),
        Verdict::UnknownDevice => Err(ConnectRefusal::UnknownDevice),
        Verdict::WrongSignature => Err(ConnectRefusal::Signature),
        Verdict::Disabled => Err(ConnectRefusal::Disabled),
        Verdict::TooManyAttempts => Err(ConnectRefusal::TooManyAttempts),
        Verdict::Unspecified => Err(ConnectRefusal::NotReady),
    }
}

/// Enters the directory and ends the device's former connection, wherever it is. A session that goes
/// on waits until the former one has stored what it leaves. False if a newer one has come meanwhile.
async fn take_over(
    gateway: &Arc<Gateway>,
    handle: &Arc<Handle>,
    previous: Option<PreviousSession>,
    goes_on: bool,
) -> bool {
    let Ok(here) = gateway.sessions.enter(handle) else {
        return false;
    };
    gateway.wills.end(handle.device_id);
    if gateway.chassis.stopping(Phase::Door).is_cancelled() {
        handle.end(End::Draining);
    }
    if let Some(former) = here {
        former.end(End::Kicked);
        if goes_on {
            let _ = tokio::time::timeout(TAKE_OVER, former.until_gone()).await;
        }
    }
    let elsewhere = previous.filter(|previous| previous.node != gateway.chassis.node());
    let Some(previous) = elsewhere else {
        return true;
    };
    let kick = kick(gateway.clone(), handle.device_id, previous);
    if goes_on {
        let _ = tokio::time::timeout(TAKE_OVER, kick).await;
    } else {
        gateway.chassis.track(Phase::Door, kick);
    }
    true
}

/// Whether the other node is still there does not matter: its lease ends if not.
async fn kick(gateway: Arc<Gateway>, device_id: i64, previous: PreviousSession) {
    let close = Down {
        device: Some(proto::hoshu::bus::v1::DeviceRef {
            device_id,
            ..Default::default()
        }),
        session: previous.number,
        action: Some(Action::Close(Close {
            why: Why::Kicked.into(),
        })),
        ..Down::default()
    };
    let asked = gateway
        .bus
        .down(Some(&previous.node), DownBatch { items: vec![close] })
        .await;
    if let Err(error) = asked {
        tracing::warn!(node = previous.node, %error, "a device's former connection could not be closed");
    }
}

/// Undoes a claim that cannot be served.
fn give_back(gateway: &Gateway, handle: &Handle) {
    gateway.sessions.leave(handle);
    handle.is_gone();
    let (reason, detail) = End::Internal.release();
    gateway
        .releases
        .push(proto::hoshu::registry::internal::v1::Release {
            device_id: handle.device_id,
            session: handle.session,
            reason: reason.into(),
            detail: detail.into(),
            at: gateway.clock.now_ms(),
        });
}

struct Made {
    connect: Connect,
    claimed: Claimed,
    handle: Arc<Handle>,
    keep_alive: u16,
    expiry: u32,
}

impl Made {
    fn session(
        &mut self,
        gateway: &Arc<Gateway>,
        greeting: Greeting,
        resumed: Resumed,
        output: &mut BytesMut,
    ) -> Session {
        let now = gateway.clock.now_ms();
        let Greeting {
            mut wire,
            connecting,
            ..
        } = greeting;
        wire.set_max_incoming(gateway.config.packet_bytes());
        let account = gateway.accounts.get(&self.claimed.account_id);
        let (node, partitions) = (
            gateway.chassis.node(),
            gateway.chassis.settings().partitions,
        );
        let facts = Facts::new(
            self.connect.device.clone(),
            &self.claimed,
            account,
            node,
            partitions,
        );
        let mut session = Session {
            gateway: gateway.clone(),
            facts,
            handle: self.handle.clone(),
            wire,
            subscriptions: resumed.subscriptions,
            understands_ext: self.connect.understands_ext_rrpc(),
            aliases: Aliases::default(),
            acks: Acks::default(),
            lanes: super::lanes::Lanes::default(),
            stalled: std::collections::VecDeque::new(),
            inflight: Inflight::default(),
            backlog: std::collections::VecDeque::new(),
            window: connecting
                .receive_maximum
                .min(gateway.config.down_unacknowledged),
            up: Meter::default(),
            down: Meter::default(),
            reading: Reading::default(),
            refusals: Refusals::default(),
            will: connecting.will.map(Box::new),
            persistence: Persistence {
                expiry: self.expiry,
                is_kept: self.expiry > 0,
                is_stored: self.expiry > 0 || resumed.was_there,
            },
            work: None,
            silence_ms: u32::from(self.keep_alive) * 1500,
            heard: Heard::new(now),
            told_throttled_ms: 0,
            last_id: MessageId::at(0, [0; 10]),
        };
        session.set_deadline(now);
        session.restore(resumed.queue, now, output);
        session
    }
}
