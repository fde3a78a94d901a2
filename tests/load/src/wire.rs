//! The few packets of MQTT 3.1.1 that a reporting device writes and reads.

use anyhow::{Context, bail};

/// What came in, borrowed from the buffer that it was read into.
#[derive(Debug, PartialEq)]
pub(crate) enum Packet<'a> {
    /// The return code; 0 is welcome.
    Connack(u8),
    /// `packet_id` is there for QoS 1.
    Publish {
        packet_id: Option<u16>,
        payload: &'a [u8],
    },
    Puback(u16),
    Suback,
    Pong,
    Other,
}

/// A clean session.
pub(crate) fn connect(
    out: &mut Vec<u8>,
    client_id: &str,
    user: &str,
    password: &str,
    keep_alive: u16,
) {
    let length = 10
        + [client_id, user, password]
            .map(|text| 2 + text.len())
            .iter()
            .sum::<usize>();
    out.push(0x10);
    remaining_length(out, length);
    text(out, b"MQTT");
    // Level 4; user name, password, clean session.
    out.extend([4, 0b1100_0010]);
    out.extend(keep_alive.to_be_bytes());
    for part in [client_id, user, password] {
        text(out, part.as_bytes());
    }
}

/// QoS 1 with a packet id, QoS 0 without.
pub(crate) fn publish(out: &mut Vec<u8>, topic: &str, packet_id: Option<u16>, payload: &[u8]) {
    let id = packet_id.map(u16::to_be_bytes);
    let (first, id): (u8, &[u8]) = match &id {
        Some(id) => (0x32, id),
        None => (0x30, &[]),
    };
    out.push(first);
    remaining_length(out, 2 + topic.len() + id.len() + payload.len());
    text(out, topic.as_bytes());
    out.extend(id);
    out.extend(payload);
}

/// Wants QoS 1.
pub(crate) fn subscribe(out: &mut Vec<u8>, packet_id: u16, filter: &str) {
    out.push(0x82);
    remaining_length(out, 2 + 2 + filter.len() + 1);
    out.extend(packet_id.to_be_bytes());
    text(out, filter.as_bytes());
    out.push(1);
}

pub(crate) fn ping(out: &mut Vec<u8>) {
    out.extend([0xC0, 0]);
}

pub(crate) fn puback(out: &mut Vec<u8>, packet_id: u16) {
    out.extend([0x40, 2]);
    out.extend(packet_id.to_be_bytes());
}

pub(crate) fn disconnect(out: &mut Vec<u8>) {
    out.extend([0xE0, 0]);
}

fn text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend((text.len() as u16).to_be_bytes());
    out.extend(text);
}

fn remaining_length(out: &mut Vec<u8>, mut length: usize) {
    while length > 0x7F {
        out.push((length & 0x7F) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

/// The first packet of `bytes` and its length; none while it is not complete.
pub(crate) fn read(bytes: &[u8]) -> anyhow::Result<Option<(Packet<'_>, usize)>> {
    let Some((header, body)) = split(bytes)? else {
        return Ok(None);
    };
    let length = bytes.len().min(header + body.len());
    let packet = match bytes[0] >> 4 {
        2 => Packet::Connack(*body.get(1).context("a CONNACK without a return code")?),
        3 => publish_of(bytes[0], body).context("a PUBLISH that ends too early")?,
        4 => Packet::Puback(number(body).context("a PUBACK without a packet id")?),
        9 => Packet::Suback,
        13 => Packet::Pong,
        _ => Packet::Other,
    };
    Ok(Some((packet, length)))
}

/// Length of the fixed header, and what it announces.
fn split(bytes: &[u8]) -> anyhow::Result<Option<(usize, &[u8])>> {
    let mut length = 0;
    for (place, byte) in bytes.iter().skip(1).enumerate() {
        if place == 4 {
            bail!("a packet with a length of five bytes");
        }
        length |= usize::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            let header = 2 + place;
            return Ok(bytes
                .get(header..header + length)
                .map(|body| (header, body)));
        }
    }
    Ok(None)
}

fn publish_of(first: u8, body: &[u8]) -> Option<Packet<'_>> {
    let rest = body.get(2 + usize::from(number(body)?)..)?;
    Some(if first & 0b110 == 0 {
        Packet::Publish {
            packet_id: None,
            payload: rest,
        }
    } else {
        Packet::Publish {
            packet_id: Some(number(rest)?),
            payload: rest.get(2..)?,
        }
    })
}

fn number(bytes: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(..2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_whatever_its_length() {
        for length in [0, 1, 100, 127, 128, 16_383, 16_384, 300_000] {
            let payload = vec![b'x'; length];
            let mut bytes = Vec::new();
            publish(&mut bytes, "/sys/pk/dn/thing", Some(513), &payload);
            let packet = Packet::Publish {
                packet_id: Some(513),
                payload: &payload,
            };
            assert_eq!(read(&bytes).unwrap(), Some((packet, bytes.len())));
            assert_eq!(read(&bytes[..bytes.len() - 1]).unwrap(), None);
        }
    }

    #[test]
    fn answers_are_told_apart() {
        for (bytes, packet) in [
            (vec![0x20, 2, 0, 5], Packet::Connack(5)),
            (vec![0x40, 2, 1, 2], Packet::Puback(258)),
            (
                vec![0x30, 3, 0, 1, b't'],
                Packet::Publish {
                    packet_id: None,
                    payload: b"",
                },
            ),
            (vec![0x90, 3, 0, 1, 1], Packet::Suback),
            (vec![0xD0, 0], Packet::Pong),
            (vec![0xE0, 0], Packet::Other),
        ] {
            let length = bytes.len();
            assert_eq!(read(&bytes).unwrap(), Some((packet, length)));
        }
    }

    #[test]
    fn nonsense_is_an_error_and_no_panic() {
        for bytes in [
            &[0x20, 0][..],
            &[0x40, 1, 0],
            &[0x32, 2, 0, 9],
            &[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1],
        ] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
    }
}
