//! Small changes of an input, such as a fuzzer makes.

use proptest::{prelude::*, sample::Index};

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    Cut(Index),
    /// The rest of another input takes the place of ours.
    Cross(Index, Index, Index),
}

pub(crate) fn any() -> impl Strategy<Value = Change> {
    let at = proptest::prelude::any::<Index>;
    let byte = prop_oneof![
        proptest::prelude::any::<u8>(),
        prop::sample::select(b"\0\x01\x7f\x80\xff{}[]\",:\\/+#|&0123456789eE.- ".as_slice()),
    ];
    prop_oneof![
        4 => (at(), byte.clone()).prop_map(|(at, byte)| Change::Set(at, byte)),
        3 => (at(), prop::collection::vec(byte, 1..6)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        3 => (at(), 1..40_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        1 => (at(), 1..40_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        1 => at().prop_map(Change::Cut),
        2 => (at(), at(), at()).prop_map(|(at, of, from)| Change::Cross(at, of, from)),
    ]
}

impl Change {
    pub(crate) fn make(self, input: &mut Vec<u8>, corpus: &[(String, Vec<u8>)]) {
        let place = |at: Index| at.index(input.len() + 1);
        match self {
            Self::Set(at, byte) => {
                let at = place(at);
                if let Some(old) = input.get_mut(at) {
                    *old = byte;
                }
            }
            Self::Insert(at, bytes) => {
                let at = place(at);
                drop(input.splice(at..at, bytes));
            }
            Self::Remove(at, length) => {
                let at = place(at);
                input.drain(at..(at + length).min(input.len()));
            }
            Self::Repeat(at, length) => {
                let at = place(at);
                let piece = input[at..(at + length).min(input.len())].to_vec();
                drop(input.splice(at..at, piece));
            }
            Self::Cut(at) => {
                let at = place(at);
                input.truncate(at);
            }
            Self::Cross(at, of, from) => {
                let at = place(at);
                let (_, other) = of.get(corpus);
                input.truncate(at);
                input.extend_from_slice(&other[from.index(other.len() + 1)..]);
            }
        }
    }
}
