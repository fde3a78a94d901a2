//! Which members of an object have come already.

use std::collections::HashSet;

const WORDS: usize = 5;

/// Known members by index, without allocation up to 320 of them; unknown ones by name.
#[derive(Default)]
pub(super) struct Seen {
    words: [u64; WORDS],
    beyond: Vec<u64>,
    /// Made when it is needed: most objects have none.
    unknown: Option<HashSet<String>>,
}

impl Seen {
    /// Whether the member comes for the first time.
    #[inline]
    pub(super) fn first(&mut self, index: usize) -> bool {
        let (word, bit) = (index / 64, 1_u64 << (index % 64));
        let word = match self.words.get_mut(word) {
            Some(word) => word,
            None => self.far(word - WORDS),
        };
        let first = *word & bit == 0;
        *word |= bit;
        first
    }

    #[cold]
    fn far(&mut self, word: usize) -> &mut u64 {
        if self.beyond.len() <= word {
            self.beyond.resize(word + 1, 0);
        }
        &mut self.beyond[word]
    }

    pub(super) fn first_unknown(&mut self, name: &str) -> bool {
        self.unknown.get_or_insert_default().insert(name.to_owned())
    }

    pub(super) fn has(&self, index: usize) -> bool {
        let (word, bit) = (index / 64, 1_u64 << (index % 64));
        let word = match word.checked_sub(WORDS) {
            None => self.words.get(word),
            Some(beyond) => self.beyond.get(beyond),
        };
        word.is_some_and(|word| word & bit != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_is_first_once() {
        let mut seen = Seen::default();
        for index in [0, 63, 64, 319, 320, 2_600] {
            assert!(!seen.has(index));
            assert!(seen.first(index));
            assert!(!seen.first(index));
            assert!(seen.has(index));
        }
        assert!(!seen.has(321));
        assert!(seen.first_unknown("x") && !seen.first_unknown("x"));
    }
}
