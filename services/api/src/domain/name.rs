//! Names of accounts, users and tokens.

use std::str::FromStr;

/// 1 to 64 characters, none of them a control character, no space at either end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadName;

impl Name {
    pub(crate) const RULE: &str =
        "must be 1 to 64 characters, without control characters and spaces at its ends";

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let is_good = (1..=64).contains(&text.chars().count())
            && text.trim() == text
            && !text.chars().any(char::is_control);
        if is_good {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadName)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_readable_and_short() {
        for good in ["a", "Ada Lovelace", "星守", &"x".repeat(64)] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in ["", " a", "a ", "a\nb", "a\0", &"x".repeat(65)] {
            assert_eq!(bad.parse::<Name>(), Err(BadName), "{bad:?}");
        }
    }
}
