//! Strings, passed eight bytes at a time.

use std::borrow::Cow;

use super::{Cursor, Span, Syntax};

/// A string without its quotes, as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Text {
    pub(crate) inside: Span,
    /// Bytes of UTF-8 after unescaping.
    pub(crate) length: usize,
    escaped: bool,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of each byte that is zero (exact up to the first such byte).
#[inline]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

impl<'a> Cursor<'a> {
    /// The string whose opening quote comes now. Put into its callers, as [`Cursor::number`] is.
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Result<Text, Syntax> {
        self.pos += 1;
        let start = self.pos;
        // What escapes take in the text beyond what they mean.
        let mut surplus = 0;
        loop {
            self.run();
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => surplus += self.escape()?,
                Some(_) => return self.wrong("a control character in a string"),
                None => return self.wrong("a string does not end"),
            }
        }
        let inside = Span {
            start,
            end: self.pos,
        };
        self.pos += 1;
        Ok(Text {
            inside,
            length: inside.end - start - surplus,
            escaped: surplus > 0,
        })
    }

    /// Passes what needs no look: up to a quote, a backslash or a control character.
    #[inline]
    fn run(&mut self) {
        while let Some(chunk) = self.bytes[self.pos..].first_chunk::<8>() {
            let word = u64::from_le_bytes(*chunk);
            let quote = zeros(word ^ (ONES * u64::from(b'"')));
            let slash = zeros(word ^ (ONES * u64::from(b'\\')));
            let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
            self.high |= word & HIGHS != 0;
            let stop = quote | slash | control;
            if stop != 0 {
                self.pos += stop.trailing_zeros() as usize / 8;
                return;
            }
            self.pos += 8;
        }
        while let Some(byte) = self.peek() {
            if byte == b'"' || byte == b'\\' || byte < 0x20 {
                return;
            }
            self.high |= byte >= 0x80;
            self.pos += 1;
        }
    }

    /// Passes one escape; by how many bytes its text is longer than its meaning.
    fn escape(&mut self) -> Result<usize, Syntax> {
        let start = self.pos;
        self.pos += 1;
        let letter = self.peek();
        self.pos += 1;
        let length = match letter {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 1,
            Some(b'u') => match self.hex()? {
                0xD800..=0xDBFF => {
                    if !self.take(b"\\u") || !(0xDC00..=0xDFFF).contains(&self.hex()?) {
                        return self.wrong("half a surrogate pair");
                    }
                    4
                }
                0xDC00..=0xDFFF => return self.wrong("half a surrogate pair"),
                0..=0x7F => 1,
                0x80..=0x7FF => 2,
                _ => 3,
            },
            _ => {
                self.pos = start;
                return self.wrong("an unknown escape");
            }
        };
        Ok(self.pos - start - length)
    }

    fn hex(&mut self) -> Result<u32, Syntax> {
        let mut value = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return self.wrong("an escape needs four hex digits");
            };
            value = value * 16 + digit;
            self.pos += 1;
        }
        Ok(value)
    }

    /// What the string says. A text that [`Cursor::finish`] refuses may come out mangled.
    pub(crate) fn unescaped(&self, text: Text) -> Cow<'a, str> {
        if !text.escaped {
            return String::from_utf8_lossy(text.inside.of(self.bytes));
        }
        let quoted = &self.bytes[text.inside.start - 1..=text.inside.end];
        Cow::Owned(serde_json::from_slice(quoted).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_length_is_that_of_what_the_string_says() {
        for text in [
            "",
            "a",
            "exactly8",
            "nine byte",
            "a\\nb",
            "\\u00e9",
            "\\u20ac",
            "\\ud83d\\ude00",
            "é€😀",
            "\\u0000\\\"\\\\",
            "a much longer text with \\u0041 inside of it",
        ] {
            let quoted = format!("\"{text}\"");
            let mut cursor = Cursor::new(quoted.as_bytes());
            let found = cursor.string().expect(text);
            let said: String = serde_json::from_str(&quoted).expect(text);
            assert_eq!(found.length, said.len(), "{text}");
            assert_eq!(cursor.unescaped(found), said, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(said in any::<String>()) {
            let quoted = serde_json::to_string(&said).expect("a string has a JSON form");
            let mut cursor = Cursor::new(quoted.as_bytes());
            let found = cursor.string().expect("it is JSON");
            prop_assert_eq!(found.length, said.len());
            prop_assert_eq!(cursor.unescaped(found), said);
        }
    }
}
