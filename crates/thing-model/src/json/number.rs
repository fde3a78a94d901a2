//! Numbers: a whole number as it is, any other as the nearest double.

use super::{Cursor, Span, Syntax};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number {
    pub(crate) span: Span,
    /// Infinite when the text is beyond a double.
    pub(crate) value: f64,
    /// Written as at most 15 digits alone, and so exact.
    pub(crate) plain: bool,
}

impl Number {
    /// The value, if it is whole and within 53 bits.
    #[inline]
    pub(crate) fn whole(&self) -> Option<i64> {
        let whole = self.plain || (self.value.fract() == 0.0 && self.value.abs() <= EXACT);
        whole.then_some(self.value as i64)
    }
}

/// Whole numbers up to here are exact in a double.
const EXACT: f64 = (1_u64 << 53) as f64;

/// Powers of ten that are exact in a double.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

impl Cursor<'_> {
    /// The number that comes now (its minus or first digit). Put into its callers, since what it tells is too wide
    /// for registers, and going through memory took a quarter of a report's time.
    #[inline(always)]
    pub(crate) fn number(&mut self) -> Result<Number, Syntax> {
        let start = self.pos;
        let negative = self.take(b"-");
        let mut mantissa = 0_u64;
        let first = self.pos;
        self.digits(&mut mantissa);
        // Digits beyond 15 make the text a case for the exact, slower way.
        let mut digits = self.pos - first;
        if digits == 0 {
            return self.wrong("a digit is missing");
        }
        if digits > 1 && self.bytes[first] == b'0' {
            return self.wrong("a number begins with 0");
        }
        let mut exponent = 0_i32;
        let mut plain = true;
        if self.peek() == Some(b'.') {
            plain = false;
            self.pos += 1;
            let fraction = self.pos;
            self.digits(&mut mantissa);
            if self.pos == fraction {
                return self.wrong("a digit is missing");
            }
            digits += self.pos - fraction;
            exponent = -i32::try_from(self.pos - fraction).unwrap_or(i32::MAX);
        }
        if let Some(b'e' | b'E') = self.peek() {
            plain = false;
            self.pos += 1;
            exponent = exponent.saturating_add(self.exponent()?);
        }
        let span = Span {
            start,
            end: self.pos,
        };
        if digits > 15 || !(-22..=22).contains(&exponent) {
            return Ok(Number {
                span,
                value: self.nearest(span),
                plain: false,
            });
        }
        let ten = TENS[exponent.unsigned_abs() as usize];
        // At most 15 digits: signed, because the machine turns that into a double at once.
        let mantissa = mantissa as i64 as f64;
        let size = if exponent < 0 {
            mantissa / ten
        } else {
            mantissa * ten
        };
        let value = if negative { -size } else { size };
        Ok(Number { span, value, plain })
    }

    #[inline(always)]
    fn digits(&mut self, mantissa: &mut u64) {
        let mut pos = self.pos;
        while let Some(chunk) = self.bytes.get(pos..).and_then(<[u8]>::first_chunk::<8>) {
            let (count, value) = leading_digits(u64::from_le_bytes(*chunk));
            *mantissa = mantissa.wrapping_mul(WHOLE_TENS[count]).wrapping_add(value);
            pos += count;
            if count < 8 {
                self.pos = pos;
                return;
            }
        }
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(pos) {
            *mantissa = mantissa
                .wrapping_mul(10)
                .wrapping_add(u64::from(digit - b'0'));
            pos += 1;
        }
        self.pos = pos;
    }

    #[cold]
    fn exponent(&mut self) -> Result<i32, Syntax> {
        let negative = self.take(b"-");
        if !negative {
            self.take(b"+");
        }
        let start = self.pos;
        let mut size = 0_i32;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            size = size
                .saturating_mul(10)
                .saturating_add(i32::from(digit - b'0'));
            self.pos += 1;
        }
        if self.pos == start {
            return self.wrong("a digit is missing");
        }
        Ok(if negative { -size } else { size })
    }

    #[cold]
    fn nearest(&self, span: Span) -> f64 {
        let text = std::str::from_utf8(span.of(self.bytes)).unwrap_or_default();
        text.parse().unwrap_or(f64::INFINITY)
    }
}

const WHOLE_TENS: [u64; 9] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
];

/// How many of the next eight bytes are digits, up to the first that is none, and the number that those are.
#[inline]
fn leading_digits(word: u64) -> (usize, u64) {
    const LOW: u64 = 0x0000_00FF_0000_00FF;
    // A digit's upper half is 3, also after 6 was added. A carry goes only behind a byte that is no digit.
    let carried = word.wrapping_add(0x0606_0606_0606_0606) & 0xF0F0_F0F0_F0F0_F0F0;
    let others = ((word & 0xF0F0_F0F0_F0F0_F0F0) | (carried >> 4)) ^ 0x3333_3333_3333_3333;
    let count = others.trailing_zeros() / 8;
    if count == 0 {
        return (0, 0);
    }
    // What is no digit is shifted out; what comes in counts as leading zeros.
    let ones = (word & 0x0F0F_0F0F_0F0F_0F0F) << (64 - 8 * count);
    // Neighbours are joined three times: to two, to four, to eight digits.
    let pairs = ones.wrapping_mul(10).wrapping_add(ones >> 8);
    let upper = (pairs & LOW).wrapping_mul(100 + (1_000_000 << 32));
    let lower = ((pairs >> 16) & LOW).wrapping_mul(1 + (10_000 << 32));
    (count as usize, upper.wrapping_add(lower) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Number {
        Cursor::new(text.as_bytes()).number().expect(text)
    }

    #[test]
    fn whole_numbers_are_known_however_they_are_written() {
        for (text, whole) in [
            ("5", Some(5)),
            ("5.0", Some(5)),
            ("-0", Some(0)),
            ("1e2", Some(100)),
            ("100e-2", Some(1)),
            ("0.5e1", Some(5)),
            ("5.5", None),
            ("1e-7", None),
            ("0e999999999999", Some(0)),
            ("2147483648", Some(2_147_483_648)),
            ("1e300", None),
            ("1e400", None),
        ] {
            assert_eq!(read(text).whole(), whole, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_value_is_the_nearest_double(text in "-?(0|[1-9][0-9]{0,22})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?") {
            let value: f64 = text.parse().expect("Rust reads every JSON number");
            prop_assert_eq!(read(&text).value, value);
        }
    }
}
