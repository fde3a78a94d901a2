//! The numbers by which enums stand in rows: those of `hoshu.registry.v1`.

use crate::domain::product::{DataFormat, Edition, NodeType, Traits};

impl NodeType {
    pub(crate) fn code(self) -> i16 {
        match self {
            Self::Device => 1,
            Self::Gateway => 2,
        }
    }

    pub(crate) fn from_code(code: impl Into<i32>) -> Option<Self> {
        match code.into() {
            1 => Some(Self::Device),
            2 => Some(Self::Gateway),
            _ => None,
        }
    }
}

impl DataFormat {
    pub(crate) fn code(self) -> i16 {
        match self {
            Self::AlinkJson => 1,
            Self::Custom => 2,
        }
    }

    pub(crate) fn from_code(code: impl Into<i32>) -> Option<Self> {
        match code.into() {
            1 => Some(Self::AlinkJson),
            2 => Some(Self::Custom),
            _ => None,
        }
    }
}

impl Edition {
    pub(crate) fn code(self) -> i16 {
        match self {
            Self::Basic => 1,
            Self::Pro => 2,
        }
    }

    pub(crate) fn from_code(code: impl Into<i32>) -> Option<Self> {
        match code.into() {
            1 => Some(Self::Basic),
            2 => Some(Self::Pro),
            _ => None,
        }
    }
}

/// A product's traits as its row has them.
pub(super) fn traits(node_type: i16, data_format: i16, edition: i16) -> sqlx::Result<Traits> {
    let read = || {
        Some(Traits {
            node_type: NodeType::from_code(node_type)?,
            data_format: DataFormat::from_code(data_format)?,
            edition: Edition::from_code(edition)?,
        })
    };
    read()
        .ok_or_else(|| sqlx::Error::Decode("a product row holds a number that no enum has".into()))
}
