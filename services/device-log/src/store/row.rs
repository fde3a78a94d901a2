//! A row of `devicelog.entry`.

use alink::MessageId;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::packed;
use crate::domain::{BadEntry, Entry, Key, Marks, is_stray};

/// Largest packed lines of one entry, bytes: a few times what the largest allowed payload
/// makes (a line's content, parameters and answer), and far under what a row can hold.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What is written of an entry.
#[derive(Debug, PartialEq)]
pub(crate) struct Row {
    pub(super) message_id: Uuid,
    pub(super) product: i64,
    pub(super) device: i64,
    pub(super) first_at: DateTime<Utc>,
    pub(super) last_at: DateTime<Utc>,
    pub(super) part: i32,
    pub(super) marks: i16,
    pub(super) stray: bool,
    pub(super) lines: Vec<u8>,
}

impl TryFrom<Entry> for Row {
    type Error = BadEntry;

    fn try_from(entry: Entry) -> Result<Self, BadEntry> {
        let (first_at, last_at) = entry.span();
        let (stray, marks) = (is_stray(&entry), Marks::of(&entry.lines));
        let lines = packed::pack(&entry.device, entry.lines);
        if lines.len() > MAX_BYTES {
            return Err(BadEntry::TooLarge {
                bytes: lines.len(),
                limit: MAX_BYTES,
            });
        }
        Ok(Self {
            message_id: entry.message_id.uuid(),
            product: Key::product(&entry.device.product_key).number(),
            device: Key::device(&entry.device).number(),
            first_at,
            last_at,
            part: i32::try_from(entry.part).map_err(|_| BadEntry::Part(entry.part))?,
            marks: marks.number(),
            stray,
            lines,
        })
    }
}

/// An entry as it is read.
pub(super) fn entry(message_id: Uuid, part: i32, lines: &[u8]) -> anyhow::Result<Entry> {
    let (device, lines) = packed::unpack(lines)?;
    Ok(Entry {
        message_id: MessageId::try_from(message_id)?,
        part: u32::try_from(part)?,
        device,
        lines,
    })
}
