use bytes::Bytes;
use proptest::prelude::*;
use rmqtt_codec::types::QoS;
use tokio_util::codec::{Decoder, Encoder};

use super::{
    connect::{Opening, Welcome, opening},
    *,
};

const ID: NonZeroU16 = NonZeroU16::new(513).unwrap();

fn v3_packet(bytes: &mut BytesMut) -> v3::Packet {
    v3::Codec::default().decode(bytes).unwrap().unwrap().0
}

fn v5_packet(bytes: &mut BytesMut) -> v5::Packet {
    v5::Codec::default().decode(bytes).unwrap().unwrap().0
}

fn publish(topic: &str, payload: usize, qos: QoS) -> BytesMut {
    let mut bytes = BytesMut::new();
    let packet = v3::Packet::Publish(Box::new(Publish {
        dup: false,
        retain: false,
        qos,
        topic: topic.into(),
        packet_id: (qos != QoS::AtMostOnce).then_some(ID),
        payload: Bytes::from(vec![7; payload]),
        properties: None,
    }));
    v3::Codec::default().encode(packet, &mut bytes).unwrap();
    bytes
}

#[test]
fn what_we_write_is_what_others_read_in_3_1_1() {
    let wire = Wire::v3(1 << 20);
    let mut out = BytesMut::new();
    wire.puback(&mut out, ID, AckReason::QuotaExceeded);
    assert_eq!(
        v3_packet(&mut out),
        v3::Packet::PublishAck { packet_id: ID }
    );
    wire.suback(
        &mut out,
        ID,
        &[SubscribeReason::Granted(1), SubscribeReason::Shared],
    )
    .unwrap();
    let status = vec![
        v3::SubscribeReturnCode::Success(QoS::AtLeastOnce),
        v3::SubscribeReturnCode::Failure,
    ];
    assert_eq!(
        v3_packet(&mut out),
        v3::Packet::SubscribeAck {
            packet_id: ID,
            status
        }
    );
    wire.unsuback(&mut out, ID, &[true, false]).unwrap();
    assert_eq!(
        v3_packet(&mut out),
        v3::Packet::UnsubscribeAck { packet_id: ID }
    );
    wire.pingresp(&mut out);
    assert_eq!(v3_packet(&mut out), v3::Packet::PingResponse);
    wire.disconnect(&mut out, 0x8B, "");
    assert!(out.is_empty(), "there is no such packet before MQTT 5");
    let outgoing = Outgoing {
        topic: "/a",
        payload: &[9; 300],
        packet_id: Some(ID),
        dup: true,
    };
    wire.publish(&mut out, &outgoing).unwrap();
    let v3::Packet::Publish(read) = v3_packet(&mut out) else {
        panic!()
    };
    assert_eq!(
        (&*read.topic, read.payload.len(), read.qos, read.dup),
        ("/a", 300, QoS::AtLeastOnce, true)
    );
    assert!(out.is_empty());
}

#[test]
fn what_we_write_is_what_others_read_in_5() {
    let mut wire = Wire::v5(1 << 20);
    let mut out = BytesMut::new();
    wire.puback(&mut out, ID, AckReason::Success);
    let v5::Packet::PublishAck(ack) = v5_packet(&mut out) else {
        panic!()
    };
    assert_eq!((ack.packet_id, u8::from(ack.reason_code)), (ID, 0));
    wire.puback(&mut out, ID, AckReason::NotAuthorized);
    let v5::Packet::PublishAck(ack) = v5_packet(&mut out) else {
        panic!()
    };
    assert_eq!(u8::from(ack.reason_code), 0x87);
    assert_eq!(ack.reason_string.as_deref(), Some("No authorization"));
    wire.suback(
        &mut out,
        ID,
        &[SubscribeReason::Granted(0), SubscribeReason::NotAuthorized],
    )
    .unwrap();
    let v5::Packet::SubscribeAck(ack) = v5_packet(&mut out) else {
        panic!()
    };
    assert_eq!(
        ack.status.into_iter().map(u8::from).collect::<Vec<_>>(),
        [0, 0x87]
    );
    wire.unsuback(&mut out, ID, &[true, false]).unwrap();
    let v5::Packet::UnsubscribeAck(ack) = v5_packet(&mut out) else {
        panic!()
    };
    assert_eq!(
        ack.status.into_iter().map(u8::from).collect::<Vec<_>>(),
        [0, 0x11]
    );
    wire.disconnect(&mut out, 0x8B, "gateway draining");
    let v5::Packet::Disconnect(read) = v5_packet(&mut out) else {
        panic!()
    };
    assert_eq!(
        (u8::from(read.reason_code), read.reason_string.as_deref()),
        (0x8B, Some("gateway draining"))
    );
    let outgoing = Outgoing {
        topic: "/a",
        payload: &[9; 3],
        packet_id: None,
        dup: false,
    };
    wire.publish(&mut out, &outgoing).unwrap();
    let v5::Packet::Publish(read) = v5_packet(&mut out) else {
        panic!()
    };
    assert_eq!(
        (&*read.topic, read.payload.len(), read.qos),
        ("/a", 3, QoS::AtMostOnce)
    );
    wire.connack(
        &mut out,
        &Welcome {
            session_present: true,
            keep_alive: 1200,
            asked_keep_alive: 5000,
            session_expiry: 60,
            asked_session_expiry: 60,
            receive_maximum: 100,
            maximum_packet: 300_000,
            topic_aliases: 20,
        },
    );
    let v5::Packet::ConnectAck(ack) = v5_packet(&mut out) else {
        panic!()
    };
    assert!(ack.session_present && !ack.retain_available && !ack.shared_subscription_available);
    assert_eq!(
        (ack.max_qos, ack.server_keepalive_sec, ack.topic_alias_max),
        (QoS::AtLeastOnce, Some(1200), 20)
    );
    assert_eq!(
        (ack.receive_max.get(), ack.max_packet_size),
        (100, Some(300_000))
    );
    assert!(out.is_empty());
}

#[test]
fn a_message_larger_than_the_device_takes_is_not_written() {
    let mut wire = Wire::v5(1 << 20);
    wire.max_outgoing = 20;
    let mut out = BytesMut::new();
    let outgoing = Outgoing {
        topic: "/a",
        payload: &[9; 30],
        packet_id: None,
        dup: false,
    };
    assert!(wire.publish(&mut out, &outgoing).is_err());
    assert!(out.is_empty());
}

#[test]
fn a_connack_that_says_all_it_can_is_as_long_as_we_think() {
    let mut out = BytesMut::new();
    let welcome = Welcome {
        session_present: true,
        keep_alive: 1200,
        asked_keep_alive: 0,
        session_expiry: 1,
        asked_session_expiry: 0,
        receive_maximum: 100,
        maximum_packet: 300_000,
        topic_aliases: 20,
    };
    Wire::v5(1 << 20).connack(&mut out, &welcome);
    assert_eq!(out.len(), connect::LONGEST_CONNACK);
}

#[test]
fn an_answer_larger_than_the_device_takes_is_not_written() {
    let mut wire = Wire::v5(1 << 20);
    wire.max_outgoing = 32;
    let mut out = BytesMut::new();
    assert!(
        wire.suback(&mut out, ID, &[SubscribeReason::Shared; 30])
            .is_err()
    );
    assert!(wire.unsuback(&mut out, ID, &[true; 30]).is_err());
    assert!(out.is_empty());
}

#[test]
fn a_3_1_1_filter_is_followed_by_a_qos_and_nothing_else() {
    for (options, is_good) in [
        (0, true),
        (1, true),
        (2, true),
        (3, false),
        (4, false),
        (0x80, false),
    ] {
        let mut input = BytesMut::from(&b"\x82\x0c\x00\x01\x00\x02/a\x01\x00\x02/b"[..]);
        input.put_u8(options);
        assert_eq!(
            Wire::v3(1000).read(&mut input).is_ok(),
            is_good,
            "{options}"
        );
    }
}

#[test]
fn an_oversized_publish_is_named_and_skipped_without_being_kept() {
    let mut wire = Wire::v3(1000);
    let bytes = publish(
        "/sys/pk/dn/thing/event/property/post",
        100_000,
        QoS::AtLeastOnce,
    );
    let mut input = BytesMut::new();
    let mut found = None;
    for piece in bytes.chunks(999) {
        input.extend_from_slice(piece);
        match wire.read(&mut input).unwrap() {
            Some(Incoming::Oversized(oversized)) => found = Some(oversized),
            Some(other) => panic!("{other:?}"),
            None => {}
        }
        assert!(input.len() < 2000, "the payload is thrown away as it comes");
    }
    let found = found.unwrap();
    assert_eq!(
        (&*found.topic, found.qos, found.packet_id),
        ("/sys/pk/dn/thing/event/property/post", 1, Some(ID))
    );
    input.extend_from_slice(&[0xC0, 0]);
    assert!(
        matches!(wire.read(&mut input), Ok(Some(Incoming::Ping))),
        "what follows is read"
    );
}

#[test]
fn versions_are_told_apart_by_their_first_bytes() {
    let v4 = b"\x10\x10\x00\x04MQTT\x04\xc2\x00\x3c\x00\x04abcd";
    assert_eq!(opening(v4, 100), Opening::Connect { level: 4 });
    assert_eq!(opening(&v4[..12], 100), Opening::Incomplete);
    assert_eq!(opening(b"", 100), Opening::Incomplete);
    assert_eq!(
        opening(b"\x10\x10\x00\x04MQTT\x07", 100),
        Opening::UnknownLevel { level: 7 }
    );
    assert_eq!(
        opening(b"\x10\x10\x00\x04MQTT\x03", 100),
        Opening::UnknownLevel { level: 3 },
        "3.1 has another name"
    );
    assert_eq!(
        opening(b"\x10\x10\x00\x06MQIsdp\x03", 100),
        Opening::Incomplete
    );
    assert_eq!(opening(b"GET / HTTP/1.1\r\n", 100), Opening::NotMqtt);
    assert_eq!(
        opening(b"\x10\xff\xff\xff\x7f", 100),
        Opening::NotMqtt,
        "too large"
    );
    assert_eq!(opening(b"\x10\x10\x00\x04HTTP\x04", 100), Opening::NotMqtt);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), five: bool, cut in 0usize..300) {
        let _ = opening(&bytes, 100);
        let mut wire = if five { Wire::v5(200) } else { Wire::v3(200) };
        let cut = cut.min(bytes.len());
        let mut input = BytesMut::from(&bytes[..cut]);
        for rest in [&bytes[cut..], &[]] {
            while let Ok(Some(_)) = wire.read(&mut input) {}
            input.extend_from_slice(rest);
        }
    }

    #[test]
    fn packets_are_read_however_they_are_cut(cuts in prop::collection::vec(1usize..40, 1..40)) {
        let mut bytes = publish("/a/b", 120, QoS::AtLeastOnce);
        bytes.extend_from_slice(&publish("/c", 3, QoS::AtMostOnce));
        bytes.extend_from_slice(&[0xC0, 0]);
        let (mut wire, mut input, mut seen) = (Wire::v3(1000), BytesMut::new(), Vec::new());
        let mut rest = &bytes[..];
        for cut in cuts.into_iter().chain(std::iter::repeat(40)) {
            let (piece, left) = rest.split_at(cut.min(rest.len()));
            input.extend_from_slice(piece);
            rest = left;
            while let Some(packet) = wire.read(&mut input).unwrap() {
                seen.push(matches!(packet, Incoming::Ping));
            }
            if rest.is_empty() { break }
        }
        prop_assert_eq!(seen, [false, false, true]);
    }
}
