//! The lines of a row, as bytes.
//!
//! A format of the store alone, so that the bus may change without it: what was written
//! once is read for ever. Fields are added, and never change their number or meaning.

use alink::Device;
use anyhow::Context;
use chrono::DateTime;
use prost::Message;

use crate::domain::{Kind, Line, Text};

#[derive(Clone, PartialEq, Message)]
struct PackedLines {
    /// The names behind the row's numbers.
    #[prost(string, tag = "1")]
    product_key: String,
    #[prost(string, tag = "2")]
    device_name: String,
    #[prost(message, repeated, tag = "3")]
    lines: Vec<PackedLine>,
}

#[derive(Clone, PartialEq, Message)]
struct PackedLine {
    #[prost(enumeration = "PackedKind", tag = "1")]
    kind: i32,
    #[prost(bool, tag = "2")]
    failed: bool,
    /// UTC milliseconds.
    #[prost(sint64, tag = "3")]
    time: i64,
    #[prost(message, required, tag = "4")]
    content: PackedText,
    #[prost(message, optional, tag = "5")]
    reason: Option<PackedText>,
    #[prost(uint32, tag = "6")]
    code: u32,
    #[prost(string, tag = "7")]
    detail: String,
}

#[derive(Clone, PartialEq, Message)]
struct PackedText {
    #[prost(uint32, tag = "1")]
    number: u32,
    #[prost(string, repeated, tag = "2")]
    args: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum PackedKind {
    Unknown = 0,
    Activity = 1,
    Upstream = 2,
    Downstream = 3,
    Tsl = 4,
}

pub(crate) fn pack(device: &Device, lines: Vec<Line>) -> Vec<u8> {
    PackedLines {
        product_key: device.product_key.to_string(),
        device_name: device.device_name.to_string(),
        lines: lines.into_iter().map(pack_line).collect(),
    }
    .encode_to_vec()
}

pub(crate) fn unpack(bytes: &[u8]) -> anyhow::Result<(Device, Vec<Line>)> {
    let packed = PackedLines::decode(bytes)?;
    let device = Device::parse(&packed.product_key, &packed.device_name)?;
    let lines: anyhow::Result<_> = packed.lines.into_iter().map(unpack_line).collect();
    Ok((device, lines?))
}

fn pack_line(line: Line) -> PackedLine {
    let kind = match line.kind {
        Kind::Activity => PackedKind::Activity,
        Kind::Upstream => PackedKind::Upstream,
        Kind::Downstream => PackedKind::Downstream,
        Kind::Tsl => PackedKind::Tsl,
    };
    PackedLine {
        kind: kind.into(),
        failed: line.failed,
        time: line.time.timestamp_millis(),
        content: pack_text(line.content),
        reason: line.reason.map(pack_text),
        code: line.code,
        detail: line.detail,
    }
}

fn unpack_line(line: PackedLine) -> anyhow::Result<Line> {
    let kind = match line.kind() {
        PackedKind::Activity => Kind::Activity,
        PackedKind::Upstream => Kind::Upstream,
        PackedKind::Downstream => Kind::Downstream,
        PackedKind::Tsl => Kind::Tsl,
        PackedKind::Unknown => anyhow::bail!("a line of unknown type {}", line.kind),
    };
    Ok(Line {
        kind,
        failed: line.failed,
        time: DateTime::from_timestamp_millis(line.time).context("a line of no possible time")?,
        content: unpack_text(line.content),
        reason: line.reason.map(unpack_text),
        code: line.code,
        detail: line.detail,
    })
}

fn pack_text(text: Text) -> PackedText {
    PackedText {
        number: text.number,
        args: text.args,
    }
}

fn unpack_text(text: PackedText) -> Text {
    Text {
        number: text.number,
        args: text.args,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::any_entry;

    proptest! {
        #[test]
        fn lines_come_back_as_they_went(entry in any_entry()) {
            let bytes = pack(&entry.device, entry.lines.clone());
            prop_assert_eq!(unpack(&bytes).unwrap(), (entry.device, entry.lines));
        }

        #[test]
        fn damaged_bytes_are_an_error_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = unpack(&bytes);
        }
    }

    #[test]
    fn rows_of_earlier_releases_stay_readable() {
        let device = Device::parse("a1B2", "pump").unwrap();
        let line = Line {
            kind: Kind::Tsl,
            failed: true,
            time: DateTime::from_timestamp_millis(1).unwrap(),
            content: Text {
                number: 300,
                args: vec!["x".into()],
            },
            reason: Some(Text {
                number: 5,
                args: Vec::new(),
            }),
            code: 6306,
            detail: "{}".into(),
        };
        let stored =
            "0a0461314232120470756d701a19080410011802220608ac021201782a02080530a2313a027b7d";
        assert_eq!(hex(&pack(&device, vec![line.clone()])), stored);
        let bytes: Vec<u8> = (0..stored.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&stored[at..at + 2], 16).unwrap())
            .collect();
        assert_eq!(unpack(&bytes).unwrap(), (device, vec![line]));
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
