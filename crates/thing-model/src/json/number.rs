//! Numbers: a whole number as it is, any other as the nearest double.

use super::{Cursor, Span, Syntax};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number {
    pub(crate) span: Span,
    /// Infinite when the text is beyond a double.
    pub(crate) value: f64,
    /// The value, if it is whole and within 53 bits.
    pub(crate) whole: Option<i64>,
    /// Written as digits alone.
    pub(crate) plain: bool,
}

/// Whole numbers up to here are exact in a double.
const EXACT: u64 = 1 << 53;

/// Powers of ten that are exact in a double.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

impl Cursor<'_> {
    /// The number that comes now (its minus or first digit).
    #[inline]
    pub(crate) fn number(&mut self) -> Result<Number, Syntax> {
        let start = self.pos;
        let negative = self.take(b"-");
        let mut mantissa = 0_u64;
        // Digits beyond 15 make the text a case for the exact, slower way.
        let mut digits = 0_usize;
        match self.peek() {
            Some(b'0') => {
                self.pos += 1;
                if let Some(b'0'..=b'9') = self.peek() {
                    return self.wrong("a number begins with 0");
                }
            }
            Some(b'1'..=b'9') => self.digits(&mut mantissa, &mut digits),
            _ => return self.wrong("a digit is missing"),
        }
        let mut exponent = 0_i32;
        let mut plain = true;
        if self.peek() == Some(b'.') {
            plain = false;
            self.pos += 1;
            let fraction = self.pos;
            self.digits(&mut mantissa, &mut digits);
            if self.pos == fraction {
                return self.wrong("a digit is missing");
            }
            // Long fractions go the exact way: their length cannot overflow here.
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
        let size = match mantissa as f64 {
            _ if digits > 15 => self.nearest(span).abs(),
            0.0 => 0.0,
            size if exponent == 0 => size,
            size if (-22..0).contains(&exponent) => size / TENS[exponent.unsigned_abs() as usize],
            size if (0..=22).contains(&exponent) => size * TENS[exponent as usize],
            _ => self.nearest(span).abs(),
        };
        let whole = (size.fract() == 0.0 && size <= EXACT as f64).then(|| {
            let size = size as i64;
            if negative { -size } else { size }
        });
        let value = if negative { -size } else { size };
        Ok(Number {
            span,
            value,
            whole,
            plain,
        })
    }

    #[inline]
    fn digits(&mut self, mantissa: &mut u64, digits: &mut usize) {
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            *mantissa = mantissa
                .wrapping_mul(10)
                .wrapping_add(u64::from(digit - b'0'));
            *digits += usize::from(*mantissa != 0 || *digits > 0);
            self.pos += 1;
        }
    }

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
            assert_eq!(read(text).whole, whole, "{text}");
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
