//! Named values and what they may be.

use std::collections::HashMap;

use crate::document::{DataType, Parameter};

/// Things in the document's order, found by name.
#[derive(Debug)]
pub(super) struct Table<T> {
    list: Vec<T>,
    by_name: HashMap<String, usize, ahash::RandomState>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            by_name: HashMap::default(),
        }
    }
}

impl<T> Table<T> {
    pub(super) fn push(&mut self, name: String, thing: T) {
        self.by_name.insert(name, self.list.len());
        self.list.push(thing);
    }

    pub(super) fn list(&self) -> &[T] {
        &self.list
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}

/// What an object may hold.
#[derive(Debug, Default)]
pub(crate) struct Members {
    table: Table<Element>,
    like_point: bool,
}

#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: String,
    /// `"name":`, as devices write it.
    pub(crate) key: Box<[u8]>,
    pub(crate) required: bool,
    pub(crate) data_type: Type,
}

#[derive(Debug)]
pub(crate) enum Type {
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
    /// Ascending.
    Enum(Box<[i32]>),
    Text {
        length: usize,
    },
    Date,
    Struct(Members),
    Array {
        size: usize,
        item: Box<Type>,
    },
    Unusable(u32),
}

impl Members {
    pub(super) fn compile(parameters: &[Parameter]) -> Self {
        let mut members = Self::default();
        for Parameter {
            identifier,
            required,
            data_type,
        } in parameters
        {
            members.push(identifier, *required, Type::compile(data_type));
        }
        members
    }

    pub(super) fn push(&mut self, name: &str, required: bool, data_type: Type) {
        let key = format!("\"{name}\":").into_bytes().into_boxed_slice();
        self.like_point |= matches!(name, "value" | "time");
        self.table.push(
            name.to_owned(),
            Element {
                name: name.to_owned(),
                key,
                required,
                data_type,
            },
        );
    }

    pub(crate) fn list(&self) -> &[Element] {
        self.table.list()
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.table.find(name)
    }

    /// Whether an object of these members can look like a value with its time.
    pub(crate) fn is_like_point(&self) -> bool {
        self.like_point
    }
}

impl Type {
    pub(super) fn compile(data_type: &DataType) -> Self {
        match data_type {
            DataType::Int { min, max } => Type::Int {
                min: *min,
                max: *max,
            },
            DataType::Float { min, max } => Type::Float {
                min: *min,
                max: *max,
            },
            DataType::Double { min, max } => Type::Double {
                min: *min,
                max: *max,
            },
            DataType::Bool => Type::Bool,
            DataType::Enum(values) => Type::Enum(values.as_slice().into()),
            DataType::Text { length } => Type::Text { length: *length },
            DataType::Date => Type::Date,
            DataType::Struct(members) => Type::Struct(Members::compile(members)),
            DataType::Array { size, item } => Type::Array {
                size: *size,
                item: Box::new(Type::compile(item)),
            },
            DataType::Unusable(code) => Type::Unusable(*code),
        }
    }

    /// Neither struct nor array.
    pub(crate) fn is_scalar(&self) -> bool {
        !matches!(self, Type::Struct(_) | Type::Array { .. })
    }
}
