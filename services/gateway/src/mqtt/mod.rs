//! The wire: MQTT 3.1, 3.1.1 and 5 as one set of packets in, and bytes out.
//!
//! Decoding is `rmqtt-codec`'s; framing is ours, so that a packet over the limit is skipped without
//! being kept. What we send is small and written straight into the output buffer.

use std::num::NonZeroU16;

use bytes::{Buf, BufMut, BytesMut};
use bytestring::ByteString;
use rmqtt_codec::{types::Publish, v3, v5};
use tokio_util::codec::Decoder;

use crate::domain::ending::Violation;

pub(crate) mod connect;
mod frame;
mod rules;
mod write;

pub(crate) use write::{AckReason, Outgoing, SubscribeReason, TooLarge};

/// The first byte of a SUBSCRIBE.
const SUBSCRIBE: u8 = 0x82;

/// A packet from a device, whichever version it speaks.
#[derive(Debug)]
pub(crate) enum Incoming {
    Publish(Box<Publish>),
    /// A PUBLISH over the size limit; its payload is skipped as it comes.
    Oversized(Box<Oversized>),
    PublishAck(NonZeroU16),
    Subscribe {
        packet_id: NonZeroU16,
        filters: Vec<(ByteString, u8)>,
        has_identifier: bool,
    },
    Unsubscribe {
        packet_id: NonZeroU16,
        filters: Vec<ByteString>,
    },
    Ping,
    Disconnect {
        with_will: bool,
        session_expiry: Option<u32>,
    },
    /// Well-formed, but not to be sent to us or not now.
    Unexpected,
}

#[derive(Debug)]
pub(crate) struct Oversized {
    pub(crate) topic: Box<str>,
    pub(crate) qos: u8,
    pub(crate) packet_id: Option<NonZeroU16>,
}

#[derive(Debug)]
enum Codec {
    V3(v3::Codec),
    V5(v5::Codec),
}

/// One connection's codec and what its peer can take.
#[derive(Debug)]
pub(crate) struct Wire {
    codec: Codec,
    /// Bytes behind the fixed header that a packet may have.
    max_incoming: usize,
    /// The device's Maximum Packet Size.
    max_outgoing: usize,
    /// Whether reason texts are wanted (MQTT 5).
    tells_reasons: bool,
    /// Bytes of an oversized packet that are still to be thrown away.
    skip: usize,
}

impl Wire {
    pub(crate) fn v3(max_incoming: usize) -> Self {
        Self {
            codec: Codec::V3(v3::Codec::new(0)),
            max_incoming,
            max_outgoing: usize::MAX,
            tells_reasons: false,
            skip: 0,
        }
    }

    pub(crate) fn v5(max_incoming: usize) -> Self {
        Self {
            codec: Codec::V5(v5::Codec::new(0, 0)),
            max_incoming,
            max_outgoing: usize::MAX,
            tells_reasons: true,
            skip: 0,
        }
    }

    pub(crate) fn is_v5(&self) -> bool {
        matches!(self.codec, Codec::V5(_))
    }

    /// Whether a CONNACK with all our limits fits into what the device takes.
    pub(crate) fn takes_connack(&self) -> bool {
        self.max_outgoing >= connect::LONGEST_CONNACK
    }

    pub(crate) fn set_max_incoming(&mut self, bytes: usize) {
        self.max_incoming = bytes;
    }

    /// The next packet, if all of it is there.
    pub(crate) fn read(&mut self, input: &mut BytesMut) -> Result<Option<Incoming>, Violation> {
        let skipped = self.skip.min(input.len());
        input.advance(skipped);
        self.skip -= skipped;
        let Some(header) = frame::header(input)? else {
            return Ok(None);
        };
        if header.remaining > self.max_incoming {
            return self.read_oversized(&header, input);
        }
        if input.len() < header.length + header.remaining {
            return Ok(None);
        }
        match &mut self.codec {
            Codec::V3(codec) => {
                if header.first == SUBSCRIBE {
                    rules::options_v3(&input[header.length..header.length + header.remaining])?;
                }
                match codec.decode(input) {
                    Ok(packet) => packet.map(|(packet, _)| from_v3(packet)).transpose(),
                    Err(_) => Err(Violation::Malformed),
                }
            }
            Codec::V5(codec) => match codec.decode(input) {
                Ok(packet) => packet.map(|(packet, _)| from_v5(packet)).transpose(),
                Err(_) => Err(Violation::Malformed),
            },
        }
    }

    fn read_oversized(
        &mut self,
        header: &frame::Header,
        input: &mut BytesMut,
    ) -> Result<Option<Incoming>, Violation> {
        let Some(publish) = frame::oversized_publish(header, input)? else {
            return Ok(None);
        };
        self.skip = header.length + header.remaining;
        let skipped = self.skip.min(input.len());
        input.advance(skipped);
        self.skip -= skipped;
        Ok(Some(Incoming::Oversized(Box::new(publish))))
    }
}

fn from_v3(packet: v3::Packet) -> Result<Incoming, Violation> {
    use v3::Packet;
    Ok(match packet {
        Packet::Publish(publish) => {
            rules::publish(&publish)?;
            Incoming::Publish(publish)
        }
        Packet::PublishAck { packet_id } => Incoming::PublishAck(packet_id),
        Packet::Subscribe {
            packet_id,
            topic_filters,
        } => {
            rules::filters(topic_filters.iter().map(|(filter, _)| &**filter))?;
            Incoming::Subscribe {
                packet_id,
                filters: topic_filters
                    .into_iter()
                    .map(|(filter, qos)| (filter, qos.value()))
                    .collect(),
                has_identifier: false,
            }
        }
        Packet::Unsubscribe {
            packet_id,
            topic_filters,
        } => {
            rules::filters(topic_filters.iter().map(|filter| &**filter))?;
            Incoming::Unsubscribe {
                packet_id,
                filters: topic_filters,
            }
        }
        Packet::PingRequest => Incoming::Ping,
        Packet::Disconnect => Incoming::Disconnect {
            with_will: false,
            session_expiry: None,
        },
        _ => Incoming::Unexpected,
    })
}

fn from_v5(packet: v5::Packet) -> Result<Incoming, Violation> {
    use v5::Packet;
    Ok(match packet {
        Packet::Publish(publish) => {
            rules::publish(&publish)?;
            Incoming::Publish(publish)
        }
        Packet::PublishAck(ack) => Incoming::PublishAck(ack.packet_id),
        Packet::Subscribe(subscribe) => {
            let filters = subscribe.topic_filters.iter();
            rules::filters(filters.map(|(filter, _)| &**filter))?;
            rules::options(&subscribe)?;
            Incoming::Subscribe {
                packet_id: subscribe.packet_id,
                has_identifier: subscribe.id.is_some(),
                filters: subscribe
                    .topic_filters
                    .into_iter()
                    .map(|(filter, options)| (filter, options.qos.value()))
                    .collect(),
            }
        }
        Packet::Unsubscribe(unsubscribe) => {
            let filters = unsubscribe.topic_filters.iter();
            rules::filters(filters.map(|filter| &**filter))?;
            Incoming::Unsubscribe {
                packet_id: unsubscribe.packet_id,
                filters: unsubscribe.topic_filters,
            }
        }
        Packet::PingRequest => Incoming::Ping,
        Packet::Disconnect(disconnect) => Incoming::Disconnect {
            with_will: disconnect.reason_code != v5::DisconnectReasonCode::NormalDisconnection,
            session_expiry: disconnect.session_expiry_interval_secs,
        },
        _ => Incoming::Unexpected,
    })
}

/// A number of one to four bytes, seven bits each.
fn put_variable(output: &mut BytesMut, mut number: usize) {
    loop {
        let low = (number & 0x7F) as u8;
        number >>= 7;
        if number == 0 {
            return output.put_u8(low);
        }
        output.put_u8(low | 0x80);
    }
}

#[cfg(test)]
mod tests;
