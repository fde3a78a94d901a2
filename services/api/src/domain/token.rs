//! The secret that a token is. Only its SHA-256 is stored: it is random and long, so nothing
//! slower is needed to keep a stolen table from being turned back into tokens.

use std::fmt::Write;

use rand::Rng;
use sha2::{Digest, Sha256};

/// As it is shown once, and then brought with every request.
pub(crate) struct Secret(String);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadSecret;

pub(crate) type Hash = [u8; 32];

impl Secret {
    pub(crate) const RULE: &str = "must be 8 to 256 visible ASCII characters";

    /// `hoshu_` and 32 random bytes in hex.
    pub(crate) fn random() -> Self {
        let mut bytes = [0u8; 32];
        rand::rng().fill_bytes(&mut bytes);
        let mut text = String::from("hoshu_");
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// One that somebody brings. An administrator's may be of any form.
    pub(crate) fn given(text: &str) -> Result<Self, BadSecret> {
        let is_good =
            (8..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_good {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadSecret)
        }
    }

    pub(crate) fn hash(&self) -> Hash {
        Sha256::digest(self.0.as_bytes()).into()
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tokens_are_never_the_same() {
        let (one, other) = (Secret::random(), Secret::random());
        assert_ne!(one.hash(), other.hash());
        let text = one.into_text();
        assert_eq!(text.len(), 6 + 64);
        assert!(Secret::given(&text).is_ok());
    }

    #[test]
    fn what_is_no_token_is_not_looked_up() {
        for bad in [
            "",
            "short",
            "with a space",
            "ünïcödé-tokens",
            &"x".repeat(257),
        ] {
            assert!(Secret::given(bad).is_err(), "{bad}");
        }
    }
}
