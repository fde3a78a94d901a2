//! What a stranger may send, heard without a socket and without anybody to ask: for the fuzz targets alone.
//!
//! It goes as far as a connection can be decided by its bytes: CONNECT and credentials, every packet with the
//! rules for its topics, and our answers.

use std::{
    num::NonZeroU16,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use alink::{Device, connect::Connect, policy, topic::Topic};
use bytes::{Bytes, BytesMut};
use rmqtt_codec::{
    types::{Publish, QoS},
    v3, v5,
};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::codec::Decoder;

use crate::{
    domain::{
        aliases::Aliases, ending::Violation, inflight::Inflight, subscriptions::Subscriptions,
    },
    mqtt::{AckReason, Incoming, Outgoing, SubscribeReason, TooLarge, Wire, connect::Welcome},
    session::{Greeting, greet},
};

/// A packet may have so many bytes here, so that larger ones are met too.
const PACKET_BYTES: usize = 1024;
const NOW_MS: i64 = 1_700_000_000_000;

/// The version that a device has named in its CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V3,
    V5,
}

/// A whole connection, from its first byte.
///
/// # Panics
/// When it is heard otherwise if its bytes come one by one, or we answer what is no packet.
pub fn connection(bytes: &[u8]) {
    same_however_cut(bytes, |pieces| {
        let mut io = tokio::io::join(pieces, tokio::io::sink());
        let greeted = at_once(greet(&mut io, async || {}));
        let mut heard = Heard::default();
        let Ok(Greeting {
            wire,
            connecting,
            input,
        }) = greeted
        else {
            return heard;
        };
        heard.note(&connecting);
        let parsed = Connect::parse(
            &connecting.client_id,
            connecting.username.as_deref(),
            connecting.password.as_deref(),
        );
        heard.note(&parsed);
        if let Ok(connect) = parsed {
            let mut session = Session::new(wire, connect.device, heard);
            session.welcome();
            if let Some(will) = connecting.will {
                let _ = session.answer_to(&will.topic, &will.payload);
            }
            session.hear(input, io.into_inner().0);
            heard = session.heard;
        }
        heard
    });
}

/// What follows an accepted CONNECT.
///
/// # Panics
/// As [`connection`].
pub fn packets(version: Version, bytes: &[u8]) {
    same_however_cut(bytes, |pieces| {
        let wire = match version {
            Version::V3 => Wire::v3(PACKET_BYTES),
            Version::V5 => Wire::v5(PACKET_BYTES),
        };
        let device = Device::parse("a1B2c3D4e5F", "boiler_01").expect("a good name");
        let mut session = Session::new(wire, device, Heard::default());
        session.hear(BytesMut::new(), pieces);
        session.heard
    });
}

fn same_however_cut(bytes: &[u8], mut hear: impl FnMut(Pieces<'_>) -> Heard) {
    let mut hear = |size| hear(Pieces { rest: bytes, size });
    let whole = hear(usize::MAX);
    assert_eq!(hear(1), whole, "the same bytes, one by one");
}

/// What became of the bytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    said: Vec<String>,
    output: BytesMut,
}

impl Heard {
    fn note(&mut self, what: &impl std::fmt::Debug) {
        self.said.push(format!("{what:?}"));
    }
}

/// Bytes as a socket brings them, so many at once.
struct Pieces<'a> {
    rest: &'a [u8],
    size: usize,
}

impl Pieces<'_> {
    fn take(&mut self, at_most: usize) -> &[u8] {
        let (piece, rest) = self
            .rest
            .split_at(self.size.min(at_most).min(self.rest.len()));
        self.rest = rest;
        piece
    }
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let room = into.remaining();
        into.put_slice(self.take(room));
        Poll::Ready(Ok(()))
    }
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// The part of a session that asks nobody.
struct Session {
    wire: Wire,
    device: Device,
    aliases: Aliases,
    subscriptions: Subscriptions,
    inflight: Inflight<()>,
    heard: Heard,
}

impl Session {
    fn new(mut wire: Wire, device: Device, heard: Heard) -> Self {
        wire.set_max_incoming(PACKET_BYTES);
        Self {
            wire,
            device,
            aliases: Aliases::default(),
            subscriptions: Subscriptions::new(true, Vec::new()),
            inflight: Inflight::default(),
            heard,
        }
    }

    fn welcome(&mut self) {
        let welcome = Welcome {
            session_present: false,
            keep_alive: 60,
            asked_keep_alive: 0,
            session_expiry: 0,
            asked_session_expiry: 1,
            receive_maximum: 50,
            maximum_packet: PACKET_BYTES as u32,
            topic_aliases: alink::limits::TOPIC_ALIAS_MAXIMUM,
        };
        self.wire.connack(&mut self.heard.output, &welcome);
    }

    fn hear(&mut self, mut input: BytesMut, mut pieces: Pieces<'_>) {
        loop {
            let end = match self.wire.read(&mut input) {
                Ok(Some(packet)) => self.on_packet(packet),
                Ok(None) if pieces.rest.is_empty() => break,
                Ok(None) => {
                    input.extend_from_slice(pieces.take(usize::MAX));
                    continue;
                }
                Err(violation) => Err(violation),
            };
            if let Err(violation) = end {
                self.heard.note(&violation);
                let (code, text) = (0x81, violation.detail());
                self.wire.disconnect(&mut self.heard.output, code, text);
                break;
            }
        }
        self.clients_can_read();
    }

    fn on_packet(&mut self, packet: Incoming) -> Result<(), Violation> {
        self.heard.note(&packet);
        match packet {
            Incoming::Publish(publish) => self.on_publish(*publish)?,
            Incoming::Oversized(oversized) => {
                if let Some(id) = oversized.packet_id {
                    let why = AckReason::QuotaExceeded;
                    self.wire.puback(&mut self.heard.output, id, why);
                }
            }
            Incoming::PublishAck(id) => drop(self.inflight.acknowledge(id)),
            Incoming::Subscribe {
                packet_id, filters, ..
            } => {
                let reasons: Vec<_> = filters
                    .iter()
                    .map(|(filter, qos)| self.subscribe(filter, *qos))
                    .collect();
                self.wire
                    .suback(&mut self.heard.output, packet_id, &reasons)
                    .map_err(|TooLarge| Violation::PacketTooLarge)?;
            }
            Incoming::Unsubscribe { packet_id, filters } => {
                let existed: Vec<_> = filters
                    .iter()
                    .map(|filter| self.subscriptions.remove(filter))
                    .collect();
                self.wire
                    .unsuback(&mut self.heard.output, packet_id, &existed)
                    .map_err(|TooLarge| Violation::PacketTooLarge)?;
            }
            Incoming::Ping => self.wire.pingresp(&mut self.heard.output),
            Incoming::Disconnect { .. } | Incoming::Unexpected => {
                return Err(Violation::UnexpectedPacket);
            }
        }
        Ok(())
    }

    fn on_publish(&mut self, publish: Publish) -> Result<(), Violation> {
        if publish.qos == QoS::ExactlyOnce {
            return Err(Violation::Qos2);
        }
        let properties = publish.properties.as_ref();
        let alias = properties.and_then(|properties| properties.topic_alias);
        let topic = self
            .aliases
            .resolve(&publish.topic, alias, alink::limits::TOPIC_ALIAS_MAXIMUM)
            .map_err(|_| Violation::TopicAlias)?
            .to_owned();
        let reason = match self.answer_to(&topic, &publish.payload) {
            Ok(()) => AckReason::Success,
            Err(reason) => reason,
        };
        if let Some(id) = publish.packet_id {
            self.wire.puback(&mut self.heard.output, id, reason);
        }
        Ok(())
    }

    /// Answers on the topic's reply topic, if the device has it subscribed.
    fn answer_to(&mut self, topic: &str, payload: &Bytes) -> Result<(), AckReason> {
        let topic = Topic::parse(topic).map_err(|_| AckReason::TopicNameInvalid)?;
        policy::may_publish(&self.device, &topic).map_err(|_| AckReason::NotAuthorized)?;
        let time = alink::ntp::answer(payload, NOW_MS, NOW_MS);
        if let Some(reply) = topic.reply_topic()
            && let Some(qos) = self.subscriptions.qos_of(&reply)
        {
            let packet_id: Option<NonZeroU16> = (qos == 1).then(|| self.inflight.send(()));
            let outgoing = Outgoing {
                topic: &reply,
                payload: time.as_deref().unwrap_or(payload),
                packet_id,
                dup: false,
            };
            // A device may take less than we have to say.
            let _ = self.wire.publish(&mut self.heard.output, &outgoing);
        }
        Ok(())
    }

    fn subscribe(&mut self, filter: &str, qos: u8) -> SubscribeReason {
        match policy::check_subscription(&self.device, filter) {
            Err(_) => SubscribeReason::NotAuthorized,
            Ok(()) if self.subscriptions.add(filter, qos.min(1), 100) => {
                SubscribeReason::Granted(qos.min(1))
            }
            Ok(()) => SubscribeReason::QuotaExceeded,
        }
    }

    fn clients_can_read(&self) {
        let mut output = self.heard.output.clone();
        let read = if self.wire.is_v5() {
            let mut codec = v5::Codec::default();
            std::iter::from_fn(|| codec.decode(&mut output).transpose()).all(|read| read.is_ok())
        } else {
            let mut codec = v3::Codec::default();
            std::iter::from_fn(|| codec.decode(&mut output).transpose()).all(|read| read.is_ok())
        };
        assert!(read && output.is_empty(), "we answered what is no packet");
    }
}
