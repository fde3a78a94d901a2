//! What kinds of lines a row holds, in a number that a filter can be held against.

use super::{Kind, Line};

/// A set of (type, status): bits 0 to 3 the successes of each type, bits 4 to 7 the failures.
///
/// A row whose marks meet the filter's has at least one line that the filter wants by type
/// and status. Stored, so the bits keep their meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(i16);

impl Marks {
    pub(crate) const FAILURES: Self = Self(0b1111_0000);
    const SUCCESSES: Self = Self(0b0000_1111);
    const ALL: Self = Self(0b1111_1111);

    pub(crate) fn of(lines: &[Line]) -> Self {
        lines
            .iter()
            .fold(Self::default(), |marks, line| marks.with(Self::line(line)))
    }

    /// What a filter wants: any of the types (none named: all), of the status (none: both).
    pub(crate) fn wanted(kinds: &[Kind], failed: Option<bool>) -> Self {
        let kinds = match kinds {
            [] => Self::ALL,
            some => some
                .iter()
                .fold(Self::default(), |marks, kind| marks.with(Self::kind(*kind))),
        };
        match failed {
            None => kinds,
            Some(true) => kinds.only(Self::FAILURES),
            Some(false) => kinds.only(Self::SUCCESSES),
        }
    }

    pub(crate) fn without(self, kind: Kind) -> Self {
        Self(self.0 & !Self::kind(kind).0)
    }

    pub(crate) fn takes(self, line: &Line) -> bool {
        self.0 & Self::line(line).0 != 0
    }

    pub(crate) fn takes_all(self) -> bool {
        self == Self::ALL
    }

    pub(crate) fn takes_only_failures(self) -> bool {
        self.0 & Self::SUCCESSES.0 == 0
    }

    pub(crate) fn number(self) -> i16 {
        self.0
    }

    fn line(line: &Line) -> Self {
        let status = if line.failed {
            Self::FAILURES
        } else {
            Self::SUCCESSES
        };
        Self::kind(line.kind).only(status)
    }

    fn kind(kind: Kind) -> Self {
        let bit = match kind {
            Kind::Activity => 0,
            Kind::Upstream => 1,
            Kind::Downstream => 2,
            Kind::Tsl => 3,
        };
        Self(1 << bit | 1 << (bit + 4))
    }

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn only(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::entry::tests::any_line;

    proptest! {
        #[test]
        fn a_row_meets_a_filter_exactly_when_one_of_its_lines_does(
            lines in prop::collection::vec(any_line(), 0..5),
            kinds in prop::collection::vec(prop::sample::select(Kind::ALL.to_vec()), 0..4),
            failed: Option<bool>,
        ) {
            let wanted = Marks::wanted(&kinds, failed);
            let meant = |line: &Line| {
                (kinds.is_empty() || kinds.contains(&line.kind)) && failed.is_none_or(|failed| failed == line.failed)
            };
            for line in &lines {
                prop_assert_eq!(wanted.takes(line), meant(line));
            }
            prop_assert_eq!(Marks::of(&lines).number() & wanted.number() != 0, lines.iter().any(meant));
        }
    }

    #[test]
    fn a_type_can_be_left_out() {
        let marks = Marks::wanted(&[], None).without(Kind::Activity);
        assert!(!marks.takes_all() && !marks.takes_only_failures());
        assert_eq!(
            marks,
            Marks::wanted(&[Kind::Upstream, Kind::Downstream, Kind::Tsl], None)
        );
        assert!(Marks::wanted(&[Kind::Tsl], Some(true)).takes_only_failures());
    }
}
