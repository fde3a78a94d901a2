//! Which value of a property is the latest, and how a device's values are packed into one row.
//!
//! The newest time wins; of equal times the later message, and within one message the later
//! place. So the outcome does not depend on the order of arrival, nor on how often a message
//! comes. A packed row is a format byte and then, sorted by identifier, for each value:
//! length and text of the identifier, length and text of its JSON (lengths as LEB128),
//! the time (i64, little-endian, UTC milliseconds) and the id of the message (16 bytes).

use std::cmp::Ordering;

/// Values kept of one device. A model has at most 300 features; those of older versions and of
/// modules stay until this many are reached, then the longest not reported goes first.
pub(crate) const VALUES_PER_DEVICE: usize = 1_000;

const FORMAT: u8 = 1;

/// One value as it was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    pub identifier: &'a str,
    /// The value's JSON, as the device wrote it.
    pub json: &'a str,
    /// UTC milliseconds.
    pub at_ms: i64,
    /// The message that reported it.
    pub by: [u8; 16],
}

impl Value<'_> {
    fn age(&self) -> (i64, [u8; 16]) {
        (self.at_ms, self.by)
    }
}

/// A stored row that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the packed values are damaged")]
pub(crate) struct Damaged;

/// Puts what was reported into a packed row (empty: none yet).
/// Nothing if that changes nothing. `reported` stands in the order of messages and of places in them.
///
/// # Errors
/// When the row is none of ours.
pub(crate) fn merge(packed: &[u8], reported: &mut [Value<'_>]) -> Result<Option<Vec<u8>>, Damaged> {
    let old = unpack(packed)?;
    // Stable, so that of one message's equals the last one is last.
    reported.sort_by(|a, b| {
        a.identifier
            .cmp(b.identifier)
            .then_with(|| a.age().cmp(&b.age()))
    });
    let mut merged = Vec::with_capacity(old.len() + reported.len());
    let mut changed = false;
    let mut before = old.iter().peekable();
    let mut reported = reported.iter().peekable();
    while let Some(new) = reported.next() {
        if reported
            .peek()
            .is_some_and(|next| next.identifier == new.identifier)
        {
            continue;
        }
        while let Some(value) = before.next_if(|value| value.identifier < new.identifier) {
            merged.push(*value);
        }
        match before.next_if(|value| value.identifier == new.identifier) {
            Some(value) if value.age().cmp(&new.age()) != Ordering::Less => merged.push(*value),
            _ => {
                merged.push(*new);
                changed = true;
            }
        }
    }
    if !changed {
        return Ok(None);
    }
    merged.extend(before);
    keep_newest(&mut merged);
    Ok(Some(pack(&merged)))
}

/// The values of a packed row, sorted by identifier.
///
/// # Errors
/// When the row is none of ours.
pub(crate) fn unpack(packed: &[u8]) -> Result<Vec<Value<'_>>, Damaged> {
    let Some((format, mut rest)) = packed.split_first() else {
        return Ok(Vec::new());
    };
    if *format != FORMAT {
        return Err(Damaged);
    }
    let mut values = Vec::new();
    while !rest.is_empty() {
        let identifier = take_text(&mut rest)?;
        let json = take_text(&mut rest)?;
        let at_ms = i64::from_le_bytes(take(&mut rest)?);
        let by = take(&mut rest)?;
        values.push(Value {
            identifier,
            json,
            at_ms,
            by,
        });
    }
    Ok(values)
}

fn keep_newest(values: &mut Vec<Value<'_>>) {
    if values.len() <= VALUES_PER_DEVICE {
        return;
    }
    values.sort_by_key(|value| std::cmp::Reverse(value.age()));
    values.truncate(VALUES_PER_DEVICE);
    values.sort_by_key(|value| value.identifier);
}

fn pack(values: &[Value<'_>]) -> Vec<u8> {
    let size = |value: &Value<'_>| value.identifier.len() + value.json.len() + 28;
    let mut out = Vec::with_capacity(1 + values.iter().map(size).sum::<usize>());
    out.push(FORMAT);
    for value in values {
        put_text(&mut out, value.identifier);
        put_text(&mut out, value.json);
        out.extend_from_slice(&value.at_ms.to_le_bytes());
        out.extend_from_slice(&value.by);
    }
    out
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    let mut length = text.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(text.as_bytes());
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Damaged> {
    let (bytes, behind) = rest.split_first_chunk::<N>().ok_or(Damaged)?;
    *rest = behind;
    Ok(*bytes)
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Result<&'a str, Damaged> {
    let mut length = 0_usize;
    for shift in (0..28).step_by(7) {
        let [byte] = take::<1>(rest)?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            let (text, behind) = rest.split_at_checked(length).ok_or(Damaged)?;
            *rest = behind;
            return std::str::from_utf8(text).map_err(|_| Damaged);
        }
    }
    Err(Damaged)
}

#[cfg(test)]
mod tests;
