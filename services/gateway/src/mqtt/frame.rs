//! Where a packet begins and ends.

use std::num::NonZeroU16;

use super::Oversized;
use crate::domain::ending::Violation;

const PUBLISH: u8 = 3;
/// Bytes of an oversized packet's topic that are kept for its log line.
const TOPIC_KEPT: usize = 256;

pub(super) struct Header {
    pub(super) first: u8,
    /// Bytes of the fixed header.
    pub(super) length: usize,
    /// Bytes behind it.
    pub(super) remaining: usize,
}

/// The fixed header, if all of it is there.
pub(super) fn header(input: &[u8]) -> Result<Option<Header>, Violation> {
    let Some((&first, rest)) = input.split_first() else {
        return Ok(None);
    };
    let mut remaining = 0;
    for (index, byte) in rest.iter().take(4).enumerate() {
        remaining |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some(Header {
                first,
                length: index + 2,
                remaining,
            }));
        }
    }
    if rest.len() >= 4 {
        Err(Violation::Malformed)
    } else {
        Ok(None)
    }
}

/// What an oversized PUBLISH says of itself, once that much has come. Any other packet of that size
/// is refused.
pub(super) fn oversized_publish(
    header: &Header,
    input: &[u8],
) -> Result<Option<Oversized>, Violation> {
    let qos = (header.first >> 1) & 3;
    if header.first >> 4 != PUBLISH || qos > 1 {
        return Err(Violation::PacketTooLarge);
    }
    let body = &input[header.length..];
    let Some((length, body)) = body.split_first_chunk::<2>() else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes(*length));
    let needed = length + if qos == 1 { 2 } else { 0 };
    if body.len() < needed {
        return Ok(None);
    }
    let packet_id = match qos {
        1 => {
            let id = u16::from_be_bytes([body[length], body[length + 1]]);
            Some(NonZeroU16::new(id).ok_or(Violation::Malformed)?)
        }
        _ => None,
    };
    let topic = String::from_utf8_lossy(&body[..length.min(TOPIC_KEPT)]).into();
    Ok(Some(Oversized {
        topic,
        qos,
        packet_id,
    }))
}
