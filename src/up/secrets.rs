//! Secrets that `hoshu up` makes and keeps in its data folder.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use chassis::Secret;
use rand::RngExt;

/// 64 hexadecimal digits.
pub(super) fn random() -> String {
    hex::encode(rand::rng().random::<[u8; 32]>())
}

/// The secret in `file`; made when there is none.
pub(super) fn kept(file: &Path, make: impl FnOnce() -> String) -> anyhow::Result<Secret> {
    match fs::read_to_string(file) {
        Ok(text) if !text.trim().is_empty() => return Ok(Secret::new(text.trim())),
        Ok(_) => anyhow::bail!(
            "{} is empty: restore it, or remove it to have a new one made",
            file.display()
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| file.display().to_string()),
    }
    let secret = make();
    write(file, &secret)?;
    Ok(Secret::new(secret))
}

/// Writes a file that only its owner can read, whole or not at all.
pub(super) fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let unfinished = file.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(&unfinished).and_then(|mut open| {
        open.write_all(text.as_bytes())?;
        open.sync_all()
    });
    written
        .and_then(|()| fs::rename(&unfinished, file))
        .with_context(|| format!("writing {}", file.display()))
}

/// A file that is not there is as good as removed.
pub(super) fn remove(file: &Path) {
    if let Err(error) = fs::remove_file(file)
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(file = %file.display(), %error, "a file could not be removed");
    }
}
