//! Keyset paging, the same for every list.

use std::fmt::Write as _;

use crate::{Fault, Refusal};

const DEFAULT_SIZE: u32 = 50;
const LARGEST_SIZE: u32 = 500;
/// Bytes of a cursor; a longer token is nobody's.
const LONGEST_CURSOR: usize = 512;
/// Bytes after which a page ends, however few rows it has: with its last row it still fits the
/// 4 MiB that gRPC's clients take unless they are told.
pub const PAGE_BYTES: usize = 2 * 1024 * 1024;

/// One page of a list, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// 1 to 500.
    pub size: i64,
    /// Where the last page ended, in the list's own words.
    pub after: Option<Vec<u8>>,
}

impl Page {
    /// Reads `pageSize` (0: the default, 50) and `pageToken` (empty: the first page).
    ///
    /// # Errors
    /// A refusal that names the field when the size is over 500 or the token is not one of ours.
    pub fn parse(page_size: u32, page_token: &str) -> Result<Self, Refusal> {
        let mut errors = Vec::new();
        if page_size > LARGEST_SIZE {
            errors.push(Fault::new(
                "/pageSize",
                format!("{page_size} is over the limit of {LARGEST_SIZE}"),
            ));
        }
        let after = cursor(page_token);
        if after.is_none() {
            errors.push(Fault::new(
                "/pageToken",
                "not a token that a list has answered with",
            ));
        }
        if !errors.is_empty() {
            return Err(Refusal::new(
                tonic::Code::InvalidArgument,
                "the page asked for is not valid",
            )
            .with_errors(errors));
        }
        Ok(Self {
            size: i64::from(if page_size == 0 {
                DEFAULT_SIZE
            } else {
                page_size
            }),
            after: after.filter(|cursor| !cursor.is_empty()),
        })
    }

    /// Cuts the row that was read beyond the page, and makes the token of the next one.
    pub fn cut<T>(&self, rows: &mut Vec<T>, cursor_of: impl Fn(&T) -> Vec<u8>) -> Option<String> {
        if rows.len() as i64 <= self.size {
            return None;
        }
        rows.truncate(self.size as usize);
        rows.last().map(|row| token(&cursor_of(row)))
    }

    /// Rows to read: one more than the page, which tells whether there is another.
    pub fn limit(&self) -> i64 {
        self.size + 1
    }
}

/// The token by which a list goes on after `cursor`.
pub fn token(cursor: &[u8]) -> String {
    cursor
        .iter()
        .fold(String::with_capacity(cursor.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn cursor(token: &str) -> Option<Vec<u8>> {
    let digits = token.as_bytes();
    if !digits.len().is_multiple_of(2) || digits.len() > LONGEST_CURSOR * 2 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    digits
        .chunks(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_where_the_last_one_ended() {
        let first = Page::parse(2, "").unwrap();
        let mut rows = vec!["a", "b", "c"];
        let next = first.cut(&mut rows, |row| row.as_bytes().to_vec()).unwrap();
        assert_eq!(rows, ["a", "b"]);
        assert_eq!(Page::parse(2, &next).unwrap().after, Some(b"b".to_vec()));
        assert_eq!(first.cut(&mut rows, |row| row.as_bytes().to_vec()), None);
    }

    #[test]
    fn a_wrong_page_is_refused_with_every_fault() {
        let refusal = Page::parse(501, "xyz").unwrap_err();
        let pointers: Vec<_> = refusal
            .errors
            .iter()
            .map(|fault| fault.pointer.as_str())
            .collect();
        assert_eq!(pointers, ["/pageSize", "/pageToken"]);
        assert!(Page::parse(0, "é1").is_err());
        assert_eq!(Page::parse(0, "").unwrap().size, 50);
    }
}
