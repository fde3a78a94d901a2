//! A cursor over the bytes of one JSON text. It accepts what `serde_json` accepts as a
//! `Value`, and numbers too large for a double besides: those are for the caller to judge.

use std::fmt;

use super::{Span, Text};

/// Arrays and objects inside one another; one more is refused.
const DEPTH: u8 = 127;

/// The text is no JSON. Behind a pointer, so that what each step returns fits in registers.
#[derive(Debug)]
pub(crate) struct Syntax(Box<Flaw>);

#[derive(Debug)]
struct Flaw {
    at: usize,
    what: &'static str,
}

impl Syntax {
    #[cold]
    fn new(at: usize, what: &'static str) -> Self {
        Self(Box::new(Flaw { at, what }))
    }
}

impl fmt::Display for Syntax {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "not JSON at byte {}: {}", self.0.at, self.0.what)
    }
}

pub(crate) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) pos: usize,
    depth: u8,
    /// Whether a byte outside ASCII may have been passed in a string:
    /// then the whole text is checked once, at the end.
    pub(super) high: bool,
}

/// A place to come back to.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pos: usize,
    depth: u8,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            pos: 0,
            depth: 0,
            high: false,
        }
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn pos(&self) -> usize {
        self.pos
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            pos: self.pos,
            depth: self.depth,
        }
    }

    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.pos = mark.pos;
        self.depth = mark.depth;
    }

    /// Goes to a place that was passed before, at the depth of now.
    pub(crate) fn jump(&mut self, pos: usize) {
        self.pos = pos;
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    #[cold]
    pub(super) fn wrong<T>(&self, what: &'static str) -> Result<T, Syntax> {
        Err(Syntax::new(self.pos, what))
    }

    /// Passes white space.
    #[inline]
    pub(crate) fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.pos += 1;
        }
    }

    /// Passes white space and shows what comes.
    #[inline]
    pub(crate) fn ahead(&mut self) -> Option<u8> {
        self.space();
        self.peek()
    }

    /// Passes exactly these bytes, if they come now.
    #[inline]
    pub(crate) fn take(&mut self, ready: &[u8]) -> bool {
        let comes = self.bytes[self.pos..].starts_with(ready);
        if comes {
            self.pos += ready.len();
        }
        comes
    }

    /// Passes a member's name as devices write it, with its quotes and colon, if it comes now.
    #[inline]
    pub(crate) fn take_key(&mut self, key: &[u8]) -> bool {
        let found = self.bytes.get(self.pos..self.pos + key.len());
        let comes = found.is_some_and(|found| same(found, key));
        if comes {
            self.pos += key.len();
        }
        comes
    }

    /// Steps into the array or object whose bracket comes now.
    #[inline]
    pub(crate) fn enter(&mut self) -> Result<(), Syntax> {
        if self.depth == DEPTH {
            return self.wrong("nested too deep");
        }
        self.depth += 1;
        self.pos += 1;
        Ok(())
    }

    /// Whether another element or member comes; steps out if not.
    #[inline]
    pub(crate) fn more(&mut self, close: u8, first: &mut bool) -> Result<bool, Syntax> {
        let comes = self.ahead();
        if comes == Some(close) {
            self.pos += 1;
            self.depth -= 1;
            return Ok(false);
        }
        if std::mem::replace(first, false) {
            return Ok(true);
        }
        if comes != Some(b',') {
            return self.wrong("a comma or the end is missing");
        }
        self.pos += 1;
        self.space();
        Ok(true)
    }

    /// A member's name and its colon.
    pub(crate) fn key(&mut self) -> Result<Text, Syntax> {
        if self.peek() != Some(b'"') {
            return self.wrong("a member's name is missing");
        }
        let name = self.string()?;
        if self.ahead() != Some(b':') {
            return self.wrong("a colon is missing");
        }
        self.pos += 1;
        Ok(name)
    }

    /// Passes any value.
    pub(crate) fn skip(&mut self) -> Result<Span, Syntax> {
        let open = self.ahead();
        let start = self.pos;
        match open {
            Some(b'"') => {
                self.string()?;
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
            }
            Some(b'{') => {
                self.enter()?;
                let mut first = true;
                while self.more(b'}', &mut first)? {
                    self.key()?;
                    self.skip()?;
                }
            }
            Some(b'[') => {
                self.enter()?;
                let mut first = true;
                while self.more(b']', &mut first)? {
                    self.skip()?;
                }
            }
            _ if self.take(b"true") || self.take(b"false") || self.take(b"null") => {}
            None => return self.wrong("the text ends too early"),
            Some(_) => return self.wrong("a value is missing"),
        }
        Ok(Span {
            start,
            end: self.pos,
        })
    }

    /// After the text's one value: nothing may follow, and all of it must be UTF-8.
    pub(crate) fn finish(&mut self) -> Result<(), Syntax> {
        self.space();
        if self.pos < self.bytes.len() {
            return self.wrong("something follows the end");
        }
        if self.high
            && let Err(error) = std::str::from_utf8(self.bytes)
        {
            return Err(Syntax::new(error.valid_up_to(), "not UTF-8"));
        }
        Ok(())
    }
}

/// Whether texts of the same length are equal: names are short, and comparing them in words is quicker than
/// calling a function that compares any length.
#[inline]
fn same(one: &[u8], other: &[u8]) -> bool {
    fn ends<const N: usize>(text: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
        Some((text.first_chunk()?, text.last_chunk()?))
    }
    match one.len() {
        4..8 => ends::<4>(one) == ends::<4>(other),
        8..=16 => ends::<8>(one) == ends::<8>(other),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accepts(bytes: &[u8]) -> bool {
        let mut cursor = Cursor::new(bytes);
        cursor.skip().and_then(|_| cursor.finish()).is_ok()
    }

    /// Numbers beyond a double are refused by `serde_json`, and are grammatical all the same.
    fn reference(bytes: &[u8]) -> bool {
        match serde_json::from_slice::<serde_json::Value>(bytes) {
            Ok(_) => true,
            Err(error) if error.to_string().starts_with("number out of range") => {
                serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
            }
            Err(_) => false,
        }
    }

    #[test]
    fn edges_of_the_grammar_are_those_of_serde_json() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let mut texts: Vec<Vec<u8>> = [
            "",
            " ",
            "0",
            "-0",
            "-",
            "00",
            "01",
            "1.",
            ".5",
            "1.5e",
            "1e+5",
            "1E-05",
            "1e400",
            "-1e400",
            "1e-400",
            "123456789012345678901234567890",
            "NaN",
            "Infinity",
            "+1",
            "0x1",
            "true",
            "tru",
            "nullx",
            "null ",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{}",
            "{\"a\":}",
            "{\"a\" : 1}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":1 \"b\":2}",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud83d\\u0041\"",
            "\"\\ud83dx\"",
            "\"\\x\"",
            "\"\t\"",
            "\"abcdefg\u{1}hij\"",
            "\"abc",
            "\"\\",
            "\u{feff}1",
            "1 1",
            "[",
            "{\"a\"",
            "\"é€😀\"",
            "{\"é\":1}",
            "\"\\/\\b\\f\\n\\r\\t\\\"\\\\\"",
        ]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
        texts.extend([
            b"\"\xff\"".to_vec(),
            b"\"\xc3\"".to_vec(),
            b"\xc3\xa9".to_vec(),
        ]);
        texts.extend([126, 127, 128, 129, 5000].map(|depth| nested(depth).into_bytes()));
        for text in texts {
            let shown = String::from_utf8_lossy(&text[..text.len().min(60)]).into_owned();
            assert_eq!(accepts(&text), reference(&text), "{shown}");
        }
    }

    /// Bytes of which much is nearly JSON.
    fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"a\"",
            "\"",
            "\\",
            "\\u00e9",
            "\\ud83d",
            "\\ude00",
            "1",
            "-",
            "0",
            ".",
            "e",
            "E+",
            "99999999999999999999",
            "true",
            "false",
            "null",
            " ",
            "\n",
            "é",
            "\u{0}",
            "\"value\":",
            "\\n",
            "longer than eight bytes",
        ]);
        prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat().into_bytes())
    }

    #[test]
    fn a_key_is_taken_only_when_all_of_it_comes() {
        for length in 3..40 {
            let key = format!("\"{}\":", "k".repeat(length - 3));
            let taken = |text: &str| Cursor::new(text.as_bytes()).take_key(key.as_bytes());
            assert!(taken(&key) && taken(&format!("{key}1")), "{key}");
            assert!(!taken(&key[..key.len() - 1]), "{key}");
            for place in 0..key.len() {
                let mut other = key.clone();
                other.replace_range(place..=place, "x");
                assert!(!taken(&other), "{other}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn pieces_are_accepted_as_by_serde_json(bytes in nearly_json()) {
            prop_assert_eq!(accepts(&bytes), reference(&bytes));
        }

        #[test]
        fn any_bytes_are_accepted_as_by_serde_json(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(accepts(&bytes), reference(&bytes));
            let quoted = [b"\"", &bytes[..], b"\""].concat();
            prop_assert_eq!(accepts(&quoted), reference(&quoted));
        }
    }
}
