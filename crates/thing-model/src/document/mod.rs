//! The TSL document: what a product's devices have, say and do.
//!
//! Members that it does not know are ignored here and kept in the text. Where vendor
//! documents differ the reader is generous: `required` absent is false, `method`, `desc`,
//! `inputData`, `outputData` and bounds may be absent (bounds: the type's own).
//! The generated entries (event `post`, services `set` and `get`) are passed over:
//! [`super::normalise`] writes them.

mod features;
mod identifier;
pub(crate) mod normalise;
mod reader;
mod specs;

use crate::fault::Rejected;

/// A whole document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The document's own features first, then those of its `functionBlocks`.
    pub blocks: Vec<FunctionBlock>,
}

/// A set of features with identifiers of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionBlock {
    /// `functionBlockId`. Features of a block with one are named `{id}:{identifier}`
    /// on the wire.
    pub id: Option<String>,
    pub properties: Vec<PropertyDefinition>,
    pub events: Vec<EventDefinition>,
    pub services: Vec<ServiceDefinition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    ReadWrite,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Info,
    Alert,
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallType {
    Async,
    Sync,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PropertyDefinition {
    pub identifier: String,
    pub name: String,
    pub access: Access,
    pub required: bool,
    pub data_type: DataType,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EventDefinition {
    pub identifier: String,
    pub name: String,
    pub kind: EventKind,
    pub outputs: Vec<Parameter>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ServiceDefinition {
    pub identifier: String,
    pub name: String,
    pub call_type: CallType,
    pub inputs: Vec<Parameter>,
    pub outputs: Vec<Parameter>,
}

/// An input, an output, or a member of a struct.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub identifier: String,
    pub required: bool,
    pub data_type: DataType,
}

/// What a value may be. Bounds are inclusive.
#[derive(Clone, Debug, PartialEq)]
pub enum DataType {
    Int {
        min: i32,
        max: i32,
    },
    Float {
        min: f64,
        max: f64,
    },
    Double {
        min: f64,
        max: f64,
    },
    Bool,
    /// The values, ascending.
    Enum(Vec<i32>),
    /// Bytes of UTF-8, at most.
    Text {
        length: usize,
    },
    /// UTC milliseconds, written as a string.
    Date,
    Struct(Vec<Parameter>),
    Array {
        size: usize,
        item: Box<DataType>,
    },
    /// A stored specification that cannot be used: every value of it has this code.
    /// Only [`Document::parse_stored`] makes it.
    Unusable(u32),
}

impl Document {
    /// Bytes of a document without its generated entries, at most (protocol page, section 7).
    pub const MAX_BYTES: usize = 256 * 1024;

    /// Reads a document that somebody hands in; all that is wrong is told at once.
    pub fn parse(text: &[u8]) -> Result<Self, Rejected> {
        let (document, faults) = reader::read(text)?;
        if faults.total() == 0 {
            Ok(document)
        } else {
            Err(faults.into_rejected())
        }
    }

    /// Reads a document that was accepted once, perhaps under other rules. What cannot be
    /// used any more refuses the messages that need it, not the whole product: a type
    /// becomes [`DataType::Unusable`], a feature without a usable identifier is left out.
    /// Only a text that is no JSON object fails, with 6318.
    pub fn parse_stored(text: &[u8]) -> Result<Self, Rejected> {
        reader::read(text).map(|(document, _)| document)
    }
}
