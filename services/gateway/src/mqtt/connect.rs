//! The first packet and its answer.

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use rmqtt_codec::{types::QoS, v3, v5};
use tokio_util::codec::{Decoder, Encoder};

use super::{Codec, Wire, frame, rules};
use crate::domain::ending::Violation;

/// Seconds that a 3.1.1 session without clean session is kept: the protocol page's seven days.
const V3_SESSION_SECONDS: u32 = alink::limits::SESSION_DAYS as u32 * 86_400;

/// Bytes of a CONNACK of MQTT 5 that says all it can.
pub(super) const LONGEST_CONNACK: usize = 32;

/// What the first bytes of a connection say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    Incomplete,
    /// The whole CONNECT is there, of this protocol level.
    Connect {
        level: u8,
    },
    /// It speaks a version of MQTT that we do not.
    UnknownLevel {
        level: u8,
    },
    NotMqtt,
}

/// A CONNECT, whichever version it speaks.
#[derive(Debug)]
pub(crate) struct Connecting {
    pub(crate) level: u8,
    pub(crate) clean: bool,
    pub(crate) keep_alive: u16,
    pub(crate) client_id: ByteString,
    pub(crate) username: Option<ByteString>,
    pub(crate) password: Option<Bytes>,
    pub(crate) will: Option<Will>,
    /// Seconds that the session outlives its connection.
    pub(crate) session_expiry: u32,
    /// QoS 1 messages that the device takes before it acknowledges.
    pub(crate) receive_maximum: u16,
    /// It asks for an authentication method of MQTT 5.
    pub(crate) has_auth_method: bool,
}

#[derive(Debug)]
pub(crate) struct Will {
    pub(crate) topic: ByteString,
    pub(crate) payload: Bytes,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    /// Seconds to wait for the device to come back (MQTT 5).
    pub(crate) delay: u32,
}

/// What a device is told when it is let in; the limits are for MQTT 5.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Welcome {
    pub(crate) session_present: bool,
    pub(crate) keep_alive: u16,
    pub(crate) asked_keep_alive: u16,
    pub(crate) session_expiry: u32,
    pub(crate) asked_session_expiry: u32,
    pub(crate) receive_maximum: u16,
    pub(crate) maximum_packet: u32,
    pub(crate) topic_aliases: u16,
}

/// Looks at the first bytes without taking them; `limit` bounds the packet.
pub(crate) fn opening(input: &[u8], limit: usize) -> Opening {
    if input.first().is_some_and(|first| *first != 0x10) {
        return Opening::NotMqtt;
    }
    let header = match frame::header(input) {
        Ok(Some(header)) => header,
        Ok(None) => return Opening::Incomplete,
        Err(_) => return Opening::NotMqtt,
    };
    if header.remaining > limit {
        return Opening::NotMqtt;
    }
    let body = &input[header.length..];
    let Some((length, body_rest)) = body.split_first_chunk::<2>() else {
        return Opening::Incomplete;
    };
    let name: &[u8] = match u16::from_be_bytes(*length) {
        4 => b"MQTT",
        6 => b"MQIsdp",
        _ => return Opening::NotMqtt,
    };
    let Some((found, rest)) = body_rest.split_at_checked(name.len()) else {
        return Opening::Incomplete;
    };
    if found != name {
        return Opening::NotMqtt;
    }
    match rest.first() {
        None => Opening::Incomplete,
        // An unknown level is answered at once: what follows may have any form.
        Some(&level) if !matches!((name, level), (b"MQTT", 4 | 5) | (b"MQIsdp", 3)) => {
            Opening::UnknownLevel { level }
        }
        Some(_) if body.len() < header.remaining => Opening::Incomplete,
        Some(_) if rest.get(1).is_some_and(|flags| describes_no_will(*flags)) => Opening::NotMqtt,
        Some(&level) => Opening::Connect { level },
    }
}

/// Flags that give a QoS, or ask to keep, a will that is not there.
fn describes_no_will(flags: u8) -> bool {
    flags & 0x04 == 0 && flags & 0x38 != 0
}

impl Wire {
    /// Takes the CONNECT that [`opening`] has found.
    pub(crate) fn read_connect(&mut self, input: &mut BytesMut) -> Result<Connecting, Violation> {
        let connecting = match &mut self.codec {
            Codec::V3(codec) => match codec.decode(input) {
                Ok(Some((v3::Packet::Connect(connect), _))) => {
                    rules::connect_v3(&connect)?;
                    from_v3(*connect)
                }
                _ => return Err(Violation::Malformed),
            },
            Codec::V5(codec) => match codec.decode(input) {
                Ok(Some((v5::Packet::Connect(connect), _))) => {
                    rules::connect_v5(&connect)?;
                    self.tells_reasons = connect.request_problem_info;
                    self.max_outgoing = connect
                        .max_packet_size
                        .map_or(usize::MAX, |size| size.get() as usize);
                    from_v5(*connect)
                }
                _ => return Err(Violation::Malformed),
            },
        };
        Ok(connecting)
    }

    pub(crate) fn connack_refused(&mut self, output: &mut BytesMut, v3_code: u8, v5_code: u8) {
        match &mut self.codec {
            Codec::V3(_) => output.extend_from_slice(&[0x20, 2, 0, v3_code]),
            Codec::V5(_) => output.extend_from_slice(&[0x20, 3, 0, v5_code, 0]),
        }
    }

    pub(crate) fn connack(&mut self, output: &mut BytesMut, welcome: &Welcome) {
        match &mut self.codec {
            Codec::V3(_) => {
                output.extend_from_slice(&[0x20, 2, u8::from(welcome.session_present), 0])
            }
            Codec::V5(codec) => {
                let differs = |ours, asked| (ours != asked).then_some(ours);
                let ack = v5::ConnectAck {
                    session_present: welcome.session_present,
                    session_expiry_interval_secs: (welcome.session_expiry
                        != welcome.asked_session_expiry)
                        .then_some(welcome.session_expiry),
                    receive_max: welcome
                        .receive_maximum
                        .try_into()
                        .unwrap_or(std::num::NonZeroU16::MAX),
                    max_qos: QoS::AtLeastOnce,
                    max_packet_size: Some(welcome.maximum_packet),
                    topic_alias_max: welcome.topic_aliases,
                    retain_available: false,
                    subscription_identifiers_available: false,
                    shared_subscription_available: false,
                    server_keepalive_sec: differs(welcome.keep_alive, welcome.asked_keep_alive),
                    ..v5::ConnectAck::default()
                };
                // Without texts of changing length it cannot fail.
                let _ = codec.encode(v5::Packet::ConnectAck(Box::new(ack)), output);
            }
        }
    }
}

fn from_v3(connect: v3::Connect) -> Connecting {
    Connecting {
        level: connect.protocol.level(),
        clean: connect.clean_session,
        keep_alive: connect.keep_alive,
        client_id: connect.client_id,
        username: connect.username,
        password: connect.password,
        will: connect.last_will.map(|will| Will {
            topic: will.topic,
            payload: will.message,
            qos: will.qos.value(),
            retain: will.retain,
            delay: 0,
        }),
        session_expiry: if connect.clean_session {
            0
        } else {
            V3_SESSION_SECONDS
        },
        receive_maximum: u16::MAX,
        has_auth_method: false,
    }
}

fn from_v5(connect: v5::Connect) -> Connecting {
    Connecting {
        level: 5,
        clean: connect.clean_start,
        keep_alive: connect.keep_alive,
        client_id: connect.client_id,
        username: connect.username,
        password: connect.password,
        will: connect.last_will.map(|will| Will {
            topic: will.topic,
            payload: will.message,
            qos: will.qos.value(),
            retain: will.retain,
            delay: will.will_delay_interval_sec.unwrap_or(0),
        }),
        session_expiry: connect.session_expiry_interval_secs,
        receive_maximum: connect
            .receive_max
            .map_or(u16::MAX, std::num::NonZeroU16::get),
        has_auth_method: connect.auth_method.is_some(),
    }
}
