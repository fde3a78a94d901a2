//! Where a line stands in the order of all lines.

use alink::MessageId;

use super::Entry;

/// The place of a line. Lists go down in it: newest message first, and of one message
/// what happened last first. It never changes once a line is kept, so a list that goes on
/// below the last line it has shown neither repeats nor skips, whatever arrives meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) message_id: MessageId,
    pub(crate) part: u32,
    /// Of the line within its entry.
    pub(crate) index: u32,
}

impl Position {
    /// Of an entry's first line: all that is below it is in older entries.
    pub(crate) fn first_of(entry: &Entry) -> Self {
        Self {
            message_id: entry.message_id,
            part: entry.part,
            index: 0,
        }
    }

    /// Below it is nothing more of its entry.
    pub(crate) fn ends_entry(self) -> bool {
        self.index == 0
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.message_id.to_bytes().to_vec();
        bytes.extend(self.part.to_be_bytes());
        bytes.extend(self.index.to_be_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (part, index) = rest.split_first_chunk::<4>()?;
        Some(Self {
            message_id: MessageId::from_bytes(*id).ok()?,
            part: u32::from_be_bytes(*part),
            index: u32::from_be_bytes(index.try_into().ok()?),
        })
    }

    /// The line's id, as people see it.
    pub(crate) fn line_id(self) -> String {
        format!("{}-{}-{}", self.message_id, self.part, self.index)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_comes_back_as_it_went(ms in 0..(1_i64 << 48), random: [u8; 10], part: u32, index: u32) {
            let position = Position { message_id: MessageId::at(ms, random), part, index };
            prop_assert_eq!(Position::from_bytes(&position.to_bytes()), Some(position));
        }

        #[test]
        fn no_token_of_a_stranger_breaks_it(bytes in prop::collection::vec(any::<u8>(), 0..32)) {
            if let Some(position) = Position::from_bytes(&bytes) {
                prop_assert_eq!(position.to_bytes(), bytes);
            }
        }
    }
}
