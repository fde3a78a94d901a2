//! What a product may be.

use chassis::Fault;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::shown;

/// Characters of a product's name.
const NAME_CHARS: std::ops::RangeInclusive<usize> = 1..=64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum NodeType {
    Device,
    Gateway,
}

/// How a PRO product's devices write thing-model messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum DataFormat {
    AlinkJson,
    Custom,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Edition {
    Basic,
    Pro,
}

/// What everyone who carries a product's messages must know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traits {
    pub(crate) node_type: NodeType,
    pub(crate) data_format: DataFormat,
    pub(crate) edition: Edition,
}

/// A product without its secret; serialized as the audit trail shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Product {
    #[serde(skip)]
    pub(crate) id: i64,
    pub(crate) product_key: String,
    pub(crate) name: String,
    pub(crate) node_type: NodeType,
    pub(crate) data_format: DataFormat,
    pub(crate) edition: Edition,
    #[serde(serialize_with = "shown::time")]
    pub(crate) created_at: DateTime<Utc>,
}

/// What is asked for, each part as far as it could be read.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) name: String,
    pub(crate) node_type: Option<NodeType>,
    pub(crate) data_format: Option<DataFormat>,
    pub(crate) edition: Option<Edition>,
}

/// Judges a product to be made: its traits, or everything that is wrong with it.
/// A BASIC product has no thing model, so its format says nothing and may be left out.
pub(crate) fn judge(wish: &Wish) -> Result<Traits, Vec<Fault>> {
    let mut faults = Vec::from_iter(name_fault(&wish.name));
    if wish.node_type.is_none() {
        faults.push(Fault::new("/nodeType", "must be DEVICE or GATEWAY"));
    }
    if wish.edition.is_none() {
        faults.push(Fault::new("/edition", "must be BASIC or PRO"));
    }
    let data_format = match (wish.edition, wish.data_format) {
        (Some(Edition::Basic), Some(DataFormat::Custom)) => {
            faults.push(Fault::new(
                "/dataFormat",
                "CUSTOM needs edition PRO: a BASIC product has no thing model that a script could parse for; \
                 leave it out or say ALINK_JSON",
            ));
            None
        }
        (Some(Edition::Basic), None) => Some(DataFormat::AlinkJson),
        (_, None) => {
            faults.push(Fault::new("/dataFormat", "must be ALINK_JSON or CUSTOM"));
            None
        }
        (_, format) => format,
    };
    match (wish.node_type, data_format, wish.edition) {
        (Some(node_type), Some(data_format), Some(edition)) if faults.is_empty() => Ok(Traits {
            node_type,
            data_format,
            edition,
        }),
        _ => Err(faults),
    }
}

/// What is wrong with a product's name.
pub(crate) fn name_fault(name: &str) -> Option<Fault> {
    let chars = name.chars().count();
    let message = if !NAME_CHARS.contains(&chars) {
        format!("must have 1 to 64 characters, has {chars}")
    } else if name.chars().any(char::is_control) {
        "must not hold control characters".to_owned()
    } else if name.trim() != name {
        "must not begin or end with a space".to_owned()
    } else {
        return None;
    };
    Some(Fault::new("/name", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(name: &str, data_format: Option<DataFormat>, edition: Option<Edition>) -> Wish {
        Wish {
            name: name.into(),
            node_type: Some(NodeType::Device),
            data_format,
            edition,
        }
    }

    #[test]
    fn every_fault_of_a_product_is_told_at_once() {
        use DataFormat::*;
        use Edition::*;
        let long = "x".repeat(65);
        for (name, format, edition, pointers) in [
            ("pump", Some(AlinkJson), Some(Pro), &[][..]),
            ("pump", Some(Custom), Some(Pro), &[]),
            ("pump", Some(AlinkJson), Some(Basic), &[]),
            ("pump", None, Some(Basic), &[]),
            ("水泵 2", Some(AlinkJson), Some(Pro), &[]),
            ("pump", Some(Custom), Some(Basic), &["/dataFormat"]),
            ("pump", None, Some(Pro), &["/dataFormat"]),
            ("", None, None, &["/name", "/edition", "/dataFormat"]),
            (&long, Some(Custom), None, &["/name", "/edition"]),
            (" pump", Some(Custom), Some(Pro), &["/name"]),
            ("a\nb", Some(Custom), Some(Pro), &["/name"]),
        ] {
            let faults = judge(&wish(name, format, edition))
                .err()
                .unwrap_or_default();
            let found: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
            assert_eq!(found, pointers, "{name:?} {format:?} {edition:?}");
        }
    }

    #[test]
    fn a_basic_product_without_a_format_speaks_alink_json() {
        let traits = judge(&wish("pump", None, Some(Edition::Basic))).unwrap();
        assert_eq!(traits.data_format, DataFormat::AlinkJson);
    }
}
