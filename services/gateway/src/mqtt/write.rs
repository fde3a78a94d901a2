//! What we send, written straight into the output buffer.

use std::num::NonZeroU16;

use bytes::{BufMut, BytesMut};

use super::{Wire, put_variable};

/// A message to a device; QoS 1 when it has a packet id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    pub(crate) packet_id: Option<NonZeroU16>,
    pub(crate) dup: bool,
}

/// Larger than the device takes (MQTT 5, Maximum Packet Size).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// What a PUBACK says; a 3.1.1 device is told nothing but that the message is ours now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AckReason {
    Success,
    NotAuthorized,
    TopicNameInvalid,
    QuotaExceeded,
}

impl AckReason {
    fn code_and_text(self) -> (u8, &'static str) {
        match self {
            Self::Success => (0, ""),
            Self::NotAuthorized => (0x87, "No authorization"),
            Self::TopicNameInvalid => (0x90, "topic too long or ill-formed"),
            Self::QuotaExceeded => (0x97, "rate limit"),
        }
    }
}

/// What a SUBACK says of one filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubscribeReason {
    Granted(u8),
    NotAuthorized,
    BadFilter,
    QuotaExceeded,
    Shared,
}

impl SubscribeReason {
    fn code(self, v5: bool) -> u8 {
        match self {
            Self::Granted(qos) => qos.min(1),
            _ if !v5 => 0x80,
            Self::NotAuthorized => 0x87,
            Self::BadFilter => 0x8F,
            Self::QuotaExceeded => 0x97,
            Self::Shared => 0x9E,
        }
    }
}

const REASON_STRING: u8 = 0x1F;
const NO_SUBSCRIPTION_EXISTED: u8 = 0x11;

impl Wire {
    pub(crate) fn puback(&self, output: &mut BytesMut, packet_id: NonZeroU16, reason: AckReason) {
        let (code, text) = reason.code_and_text();
        if !self.is_v5() || code == 0 {
            output.put_slice(&[0x40, 2]);
            return output.put_u16(packet_id.get());
        }
        let text = self.affordable(text, 9);
        let properties = if text.is_empty() { 0 } else { 3 + text.len() };
        output.put_slice(&[0x40, (4 + properties) as u8]);
        output.put_u16(packet_id.get());
        output.put_u8(code);
        put_reason(output, text);
    }

    /// # Errors
    /// When the device cannot take a packet of that size; nothing is written then.
    pub(crate) fn suback(
        &self,
        output: &mut BytesMut,
        packet_id: NonZeroU16,
        reasons: &[SubscribeReason],
    ) -> Result<(), TooLarge> {
        let codes = reasons.iter().map(|reason| reason.code(self.is_v5()));
        self.acks(output, 0x90, packet_id, codes)
    }

    /// `existed` tells of each filter whether it had been subscribed.
    ///
    /// # Errors
    /// When the device cannot take a packet of that size; nothing is written then.
    pub(crate) fn unsuback(
        &self,
        output: &mut BytesMut,
        packet_id: NonZeroU16,
        existed: &[bool],
    ) -> Result<(), TooLarge> {
        let codes = existed
            .iter()
            .map(|existed| if *existed { 0 } else { NO_SUBSCRIPTION_EXISTED });
        let codes = codes.take(if self.is_v5() { existed.len() } else { 0 });
        self.acks(output, 0xB0, packet_id, codes)
    }

    pub(crate) fn pingresp(&self, output: &mut BytesMut) {
        output.put_slice(&[0xD0, 0]);
    }

    /// # Errors
    /// When the device cannot take a packet of that size; nothing is written then.
    pub(crate) fn publish(
        &self,
        output: &mut BytesMut,
        message: &Outgoing<'_>,
    ) -> Result<(), TooLarge> {
        let properties = usize::from(self.is_v5());
        let id = if message.packet_id.is_some() { 2 } else { 0 };
        let remaining = 2 + message.topic.len() + id + properties + message.payload.len();
        let topic = u16::try_from(message.topic.len()).map_err(|_| TooLarge)?;
        if remaining + 5 > self.max_outgoing {
            return Err(TooLarge);
        }
        output.reserve(remaining + 5);
        let qos = u8::from(message.packet_id.is_some());
        output.put_u8(0x30 | u8::from(message.dup) << 3 | qos << 1);
        put_variable(output, remaining);
        output.put_u16(topic);
        output.put_slice(message.topic.as_bytes());
        if let Some(id) = message.packet_id {
            output.put_u16(id.get());
        }
        output.put_bytes(0, properties);
        output.put_slice(message.payload);
        Ok(())
    }

    /// MQTT 5 only: there is no such packet from a server before it.
    pub(crate) fn disconnect(&self, output: &mut BytesMut, code: u8, text: &str) {
        if !self.is_v5() {
            return;
        }
        let text = self.affordable(text, 7);
        let properties = if text.is_empty() { 0 } else { 3 + text.len() };
        output.put_slice(&[0xE0, (2 + properties) as u8, code]);
        put_reason(output, text);
    }

    /// The text, if it is wanted and fits into one packet together with `others` bytes.
    fn affordable<'a>(&self, text: &'a str, others: usize) -> &'a str {
        let fits = text.len() + others <= self.max_outgoing.min(120);
        if self.tells_reasons && fits { text } else { "" }
    }

    fn acks(
        &self,
        output: &mut BytesMut,
        first: u8,
        packet_id: NonZeroU16,
        codes: impl ExactSizeIterator<Item = u8>,
    ) -> Result<(), TooLarge> {
        let properties = usize::from(self.is_v5());
        let remaining = 2 + properties + codes.len();
        if remaining + 5 > self.max_outgoing {
            return Err(TooLarge);
        }
        output.put_u8(first);
        put_variable(output, remaining);
        output.put_u16(packet_id.get());
        output.put_bytes(0, properties);
        for code in codes {
            output.put_u8(code);
        }
        Ok(())
    }
}

/// The properties of a packet that may have a reason in words only.
fn put_reason(output: &mut BytesMut, text: &str) {
    if text.is_empty() {
        return output.put_u8(0);
    }
    output.put_slice(&[(3 + text.len()) as u8, REASON_STRING]);
    output.put_u16(text.len() as u16);
    output.put_slice(text.as_bytes());
}
