//! What a session knows of its device, and how its messages go up.

use std::sync::Arc;

use alink::{Device, MessageId};
use bus::{EncodeItem, Partition};
use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;
use chassis::Noun;
use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint, encoded_len_varint},
};
use proto::hoshu::{
    bus::v1::{DeviceRef, UpMessage},
    registry::internal::v1::Session,
};

use crate::accounts::Account;

/// What stays the same for a connection.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) device: Device,
    pub(crate) device_id: i64,
    pub(crate) session: u64,
    pub(crate) partition: Partition,
    pub(crate) account: Arc<Account>,
    /// The fields that are the same in all its messages, encoded once: most of a small message.
    constant: Box<[u8]>,
}

/// A message from the device on its way to who handles it.
#[derive(Debug)]
pub(crate) struct Up {
    pub(crate) to: Noun,
    pub(crate) message_id: MessageId,
    pub(crate) topic: ByteString,
    pub(crate) payload: Bytes,
    pub(crate) qos: u8,
    pub(crate) packet_id: u16,
    pub(crate) received_at: i64,
    pub(crate) throttled: bool,
    /// A person may wait for it.
    pub(crate) awaited: bool,
}

impl Facts {
    pub(crate) fn new(
        device: Device,
        session: &Session,
        account: Arc<Account>,
        node: &str,
        partitions: u16,
    ) -> Self {
        let (pk, dn) = (device.product_key.as_str(), device.device_name.as_str());
        let partition = Partition::of(pk, dn, partitions);
        let reference = DeviceRef {
            product_key: pk.into(),
            device_name: dn.into(),
            device_id: session.device_id,
            account_id: session.account_id.clone(),
        };
        let constant = UpMessage {
            device: Some(reference),
            edition: session.edition,
            data_format: session.data_format,
            node: node.into(),
            session: session.number,
            iot_id: session.iot_id.clone(),
            ..UpMessage::default()
        };
        Self {
            device,
            device_id: session.device_id,
            session: session.number,
            partition,
            account,
            constant: constant.encode_to_vec().into(),
        }
    }

    pub(crate) fn reference(&self) -> DeviceRef {
        DeviceRef {
            product_key: self.device.product_key.as_str().into(),
            device_name: self.device.device_name.as_str().into(),
            device_id: self.device_id,
            account_id: self.account.id.to_string(),
        }
    }

    pub(crate) fn message<'a>(&'a self, up: &'a Up) -> UpItem<'a> {
        UpItem {
            constant: &self.constant,
            up,
        }
    }
}

/// An `UpMessage`, encoded from borrowed parts. Protobuf takes fields in any order.
#[derive(Clone, Copy)]
pub(crate) struct UpItem<'a> {
    constant: &'a [u8],
    up: &'a Up,
}

const MESSAGE_ID: u32 = 1;
const TOPIC: u32 = 3;
const PAYLOAD: u32 = 4;
const QOS: u32 = 5;
const PACKET_ID: u32 = 6;
const RECEIVED_AT: u32 = 7;
const THROTTLED: u32 = 12;

impl UpItem<'_> {
    fn numbers(&self) -> [(u32, u64); 4] {
        [
            (QOS, self.up.qos.into()),
            (PACKET_ID, self.up.packet_id.into()),
            (RECEIVED_AT, self.up.received_at as u64),
            (THROTTLED, self.up.throttled.into()),
        ]
    }

    fn texts(&self) -> [(u32, &[u8]); 2] {
        [
            (TOPIC, self.up.topic.as_bytes()),
            (PAYLOAD, &self.up.payload),
        ]
    }
}

impl EncodeItem for UpItem<'_> {
    fn item_len(&self) -> usize {
        let texts = self
            .texts()
            .map(|(_, text)| 1 + encoded_len_varint(text.len() as u64) + text.len());
        // All tags are below 16: one byte each.
        let numbers = self
            .numbers()
            .map(|(_, n)| if n == 0 { 0 } else { 1 + encoded_len_varint(n) });
        2 + 16 + texts.iter().sum::<usize>() + numbers.iter().sum::<usize>() + self.constant.len()
    }

    fn put(&self, into: &mut BytesMut) {
        encode_key(MESSAGE_ID, WireType::LengthDelimited, into);
        encode_varint(16, into);
        into.put_slice(&self.up.message_id.to_bytes());
        for (tag, text) in self.texts() {
            encode_key(tag, WireType::LengthDelimited, into);
            encode_varint(text.len() as u64, into);
            into.put_slice(text);
        }
        for (tag, number) in self
            .numbers()
            .into_iter()
            .filter(|(_, number)| *number != 0)
        {
            encode_key(tag, WireType::Varint, into);
            encode_varint(number, into);
        }
        into.put_slice(self.constant);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_borrowed_form_is_the_message() {
        let session = Session {
            number: 9,
            account_id: "acme".into(),
            device_id: 77,
            iot_id: "iot".into(),
            edition: 2,
            data_format: 1,
            ..Session::default()
        };
        let device = Device::parse("pk", "boiler").unwrap();
        let facts = Facts::new(
            device,
            &session,
            Arc::new(Account::new("acme")),
            "gateway-1",
            4,
        );
        for (qos, packet_id, throttled, payload) in [(0, 0, false, 0), (1, 65535, true, 300)] {
            let up = Up {
                to: Noun::Thing,
                message_id: MessageId::at(1_700_000_000_000, [7; 10]),
                topic: "/sys/pk/boiler/thing/event/property/post".into(),
                payload: vec![5; payload].into(),
                qos,
                packet_id,
                received_at: 1_700_000_000_000,
                throttled,
                awaited: false,
            };
            let item = facts.message(&up);
            let mut bytes = BytesMut::new();
            item.put(&mut bytes);
            assert_eq!(bytes.len(), item.item_len());
            let expected = UpMessage {
                message_id: up.message_id.to_bytes().to_vec().into(),
                device: Some(facts.reference()),
                topic: up.topic.to_string(),
                payload: up.payload.clone(),
                qos: qos.into(),
                packet_id: packet_id.into(),
                received_at: up.received_at,
                edition: 2,
                data_format: 1,
                node: "gateway-1".into(),
                session: 9,
                throttled,
                iot_id: "iot".into(),
            };
            assert_eq!(UpMessage::decode(bytes.freeze()).unwrap(), expected);
        }
    }
}
