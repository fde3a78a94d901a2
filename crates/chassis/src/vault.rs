//! Secrets at rest.

use aes_gcm::aead::{Aead, Generate, KeyInit, Nonce};
use aes_gcm::{Aes256Gcm, Key};
use anyhow::{Context, ensure};

use crate::Secret;

/// Bytes of the nonce that each sealed text begins with.
const NONCE: usize = 12;

/// Seals and opens secrets with the master key (AES-256-GCM, a random nonce each).
#[derive(Clone)]
pub struct Vault(Aes256Gcm);

impl Vault {
    /// `master_key` is 64 hexadecimal digits.
    ///
    /// # Errors
    /// When it is anything else; the text does not repeat it.
    pub fn new(master_key: &Secret) -> anyhow::Result<Self> {
        let bytes = hex::decode(master_key.expose())
            .ok()
            .filter(|bytes| bytes.len() == 32);
        let bytes = bytes.context(
            "HOSHU_MASTER_KEY must be 64 hexadecimal digits (`openssl rand -hex 32` makes one)",
        )?;
        let key = Key::<Aes256Gcm>::try_from(bytes.as_slice()).context("32 bytes")?;
        Ok(Self(Aes256Gcm::new(&key)))
    }

    pub fn seal(&self, secret: &[u8]) -> anyhow::Result<Vec<u8>> {
        let nonce = Nonce::<Aes256Gcm>::generate();
        let sealed = self
            .0
            .encrypt(&nonce, secret)
            .ok()
            .context("a secret could not be sealed")?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// # Errors
    /// When it was sealed with another key, or altered.
    pub fn open(&self, sealed: &[u8]) -> anyhow::Result<Vec<u8>> {
        ensure!(sealed.len() > NONCE, "a sealed secret is too short");
        let (nonce, text) = sealed.split_at(NONCE);
        let nonce = Nonce::<Aes256Gcm>::try_from(nonce).context("12 bytes")?;
        let opened = self.0.decrypt(&nonce, text).ok();
        opened.context("a secret was sealed with another master key than HOSHU_MASTER_KEY")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(digit: &str) -> Vault {
        Vault::new(&Secret::new(digit.repeat(64))).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_only() {
        let sealed = vault("a").seal(b"secret").unwrap();
        assert_eq!(vault("a").open(&sealed).unwrap(), b"secret");
        assert!(vault("b").open(&sealed).is_err());
        assert!(vault("a").open(&sealed[..5]).is_err());
        assert_ne!(sealed, vault("a").seal(b"secret").unwrap());
    }

    #[test]
    fn a_bad_master_key_is_refused_without_being_shown() {
        let error = Vault::new(&Secret::new("hunter2"))
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("HOSHU_MASTER_KEY") && !error.contains("hunter2"));
    }
}
