//! What can be wrong, with the numbers that devices and people are told.

use std::fmt;

pub const SUCCESS: u32 = 200;
pub const INVALID_PARAMETER: u32 = 460;
pub const TOO_MANY_PROPERTIES: u32 = 6106;
pub const NO_SERVICES: u32 = 6206;
pub const DATA_FORMAT: u32 = 6207;
pub const METHOD_NOT_FOUND: u32 = 6300;
pub const PARAMETER_MISSING: u32 = 6302;
pub const MEMBER_NOT_FOUND: u32 = 6304;
pub const NOT_INT: u32 = 6306;
pub const NOT_FLOAT: u32 = 6307;
pub const NOT_BOOL: u32 = 6308;
pub const NOT_ENUM: u32 = 6309;
pub const NOT_TEXT: u32 = 6310;
pub const NOT_DATE: u32 = 6311;
pub const NOT_STRUCT: u32 = 6312;
pub const TYPE_NOT_SUPPORTED: u32 = 6314;
pub const PARAMETER_UNREADABLE: u32 = 6316;
pub const MODEL_WRONG: u32 = 6317;
pub const MODEL_UNREADABLE: u32 = 6318;
pub const PROPERTY_NOT_FOUND: u32 = 6320;
pub const NOT_DOUBLE: u32 = 6322;
pub const PARAMETER_TYPE: u32 = 6323;
pub const WRONG_ELEMENT: u32 = 6324;
pub const ELEMENT_TYPE: u32 = 6325;
pub const NOT_ARRAY: u32 = 6328;
pub const ARRAY_UNREADABLE: u32 = 6329;
pub const TOO_MANY_EVENTS: u32 = 6356;
pub const METHOD_MISSING: u32 = 6450;

/// Faults that are kept of one message or document; further ones are counted.
/// The first in the order of [`Fault`] are the ones that stay.
pub const FAULTS_KEPT: usize = 100;

/// One thing that is wrong.
///
/// Faults of a message stand in this order: 6207, then 6450 and 6300, then 6106 and 6356,
/// then members in the order of the message, then missing members in the model's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the bytes that were checked.
    pub pointer: String,
    pub code: u32,
    /// Names the value (shortened) and the limit it breaks.
    pub message: String,
}

/// Why a document is refused: its faults, at most [`FAULTS_KEPT`] of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Rejected {
    /// Never empty.
    pub faults: Vec<Fault>,
    /// All faults, also those not kept.
    pub total: usize,
}

impl Rejected {
    /// The first fault's code.
    pub fn code(&self) -> u32 {
        self.faults.first().map_or(MODEL_WRONG, |fault| fault.code)
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.faults.first() {
            Some(first) => write!(out, "{}: {}", first.pointer, first.message)?,
            None => write!(out, "refused")?,
        }
        match self.total {
            0 | 1 => Ok(()),
            total => write!(out, " (and {} more)", total - 1),
        }
    }
}

/// Faults as they are found, bounded and in order.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    kept: Vec<Fault>,
    total: usize,
}

impl Faults {
    pub(crate) fn push(&mut self, fault: impl FnOnce() -> Fault, code: u32) {
        self.total += 1;
        let place = self
            .kept
            .partition_point(|kept| rank(kept.code) <= rank(code));
        if place >= FAULTS_KEPT {
            return;
        }
        self.kept.truncate(FAULTS_KEPT - 1);
        self.kept.insert(place, fault());
    }

    pub(crate) fn kept(&self) -> &[Fault] {
        &self.kept
    }

    pub(crate) fn total(&self) -> usize {
        self.total
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
        self.total = 0;
    }

    pub(crate) fn into_rejected(self) -> Rejected {
        Rejected {
            faults: self.kept,
            total: self.total,
        }
    }
}

/// Which faults come first; within a rank the order of finding stays.
fn rank(code: u32) -> u8 {
    match code {
        DATA_FORMAT => 0,
        METHOD_MISSING | METHOD_NOT_FOUND => 1,
        TOO_MANY_PROPERTIES | TOO_MANY_EVENTS => 2,
        PARAMETER_MISSING => 4,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(faults: &mut Faults, code: u32, pointer: &str) {
        let pointer = pointer.to_owned();
        faults.push(
            || Fault {
                pointer,
                code,
                message: String::new(),
            },
            code,
        );
    }

    #[test]
    fn a_late_fault_of_a_higher_rank_is_kept_and_comes_first() {
        let mut faults = Faults::default();
        push(&mut faults, PARAMETER_MISSING, "/missing");
        for index in 0..FAULTS_KEPT + 20 {
            push(&mut faults, NOT_INT, &format!("/{index}"));
        }
        push(&mut faults, TOO_MANY_PROPERTIES, "");
        push(&mut faults, DATA_FORMAT, "/twice");
        assert_eq!(faults.total(), FAULTS_KEPT + 23);
        assert_eq!(faults.kept().len(), FAULTS_KEPT);
        let codes: Vec<u32> = faults.kept()[..3].iter().map(|fault| fault.code).collect();
        assert_eq!(codes, [DATA_FORMAT, TOO_MANY_PROPERTIES, NOT_INT]);
        assert_eq!(faults.kept()[2].pointer, "/0");
        assert_eq!(faults.kept()[FAULTS_KEPT - 1].pointer, "/97");
    }
}
