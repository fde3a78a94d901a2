//! Messages that carry many items.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use prost::Message;
use proto::hoshu::bus::v1::{
    Event, LogBatch, LogEntry, Presence, PresenceBatch, UpBatch, UpMessage,
};

/// A message on a stream, made of items that are told one by one and handled together.
pub trait Batch: Send + Sync + 'static {
    type Item: Message + Default + Clone + Send + Sync + 'static;
    /// First word of its subjects.
    const STEM: &'static str;
    /// Second words that a consumer exists for; `""` where there is none.
    const WORDS: &'static [&'static str];
    /// Least time between two turns in which a publisher's lanes send, unless a batch is full: what comes meanwhile
    /// shares a batch.
    const PACE: Duration;

    /// # Errors
    /// When the payload is no such message.
    fn read(payload: Bytes) -> Result<Vec<Self::Item>, prost::DecodeError>;

    /// A batch of this one item.
    fn write(item: &Self::Item) -> Vec<u8>;
}

macro_rules! batch {
    ($batch:ident, $item:ident, $field:ident, $stem:literal, $words:expr, $pace_ms:literal) => {
        impl Batch for $batch {
            type Item = $item;
            const STEM: &'static str = $stem;
            const WORDS: &'static [&'static str] = $words;
            const PACE: Duration = Duration::from_millis($pace_ms);

            fn read(payload: Bytes) -> Result<Vec<$item>, prost::DecodeError> {
                Ok($batch::decode(payload)?.$field)
            }

            fn write(item: &$item) -> Vec<u8> {
                let mut batch = BytesMut::new();
                put_item(item, &mut batch);
                batch.to_vec()
            }
        }
    };
}

// At low rates this halves the cost of the whole house. Devices wait for what goes up; nobody for lines.
batch!(UpBatch, UpMessage, messages, "up", &["thing"], 4);
batch!(LogBatch, LogEntry, entries, "log", &[""], 20);
batch!(PresenceBatch, Presence, items, "presence", &[""], 4);

/// An event is told alone: changes are rare, and each has its own subject.
impl Batch for Event {
    type Item = Event;
    const STEM: &'static str = "event";
    const WORDS: &'static [&'static str] = &[];
    const PACE: Duration = Duration::ZERO;

    fn read(payload: Bytes) -> Result<Vec<Event>, prost::DecodeError> {
        Ok(vec![Event::decode(payload)?])
    }

    fn write(item: &Event) -> Vec<u8> {
        item.encode_to_vec()
    }
}

/// Something that can be written as an item of a batch, perhaps from borrowed parts.
pub trait EncodeItem {
    /// Bytes of the item's protobuf encoding.
    fn item_len(&self) -> usize;
    fn put(&self, into: &mut BytesMut);
}

impl<M: Message> EncodeItem for M {
    fn item_len(&self) -> usize {
        self.encoded_len()
    }

    fn put(&self, into: &mut BytesMut) {
        self.encode_raw(into);
    }
}

/// Appends an item to an encoded batch. Every batch has its items in field 1, so that
/// encoded items put one after another are the encoded batch.
pub(crate) fn put_item(item: &impl EncodeItem, into: &mut BytesMut) {
    let len = item.item_len();
    into.reserve(len + 11);
    prost::encoding::encode_key(1, prost::encoding::WireType::LengthDelimited, into);
    prost::encoding::encode_varint(len as u64, into);
    item.put(into);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_put_one_after_another_are_the_batch() {
        let items: Vec<_> = (0..3)
            .map(|n| Presence {
                session: n,
                online: n % 2 == 0,
                ..Presence::default()
            })
            .collect();
        let mut bytes = BytesMut::new();
        for item in &items {
            put_item(item, &mut bytes);
        }
        assert_eq!(
            bytes.to_vec(),
            PresenceBatch {
                items: items.clone()
            }
            .encode_to_vec()
        );
        assert_eq!(PresenceBatch::read(bytes.freeze()).unwrap(), items);
    }
}
