//! `hoshu config`: what is in force.

use std::io::{ErrorKind, Write};

use chassis::Settings;

use crate::command_line::Options;
use crate::roles::ROLES;

/// Prints the effective settings as a configuration file, secrets hidden.
pub(crate) fn print(options: &Options) -> anyhow::Result<()> {
    let settings = Settings::load(&options.files, &options.settings)?;
    let mut text = toml::to_string(&settings)?;
    for role in ROLES {
        let config = toml::to_string(&(role.config)(&options.files)?)?;
        text.push_str(&format!("\n[{}]\n{config}", role.noun.word()));
    }
    match std::io::stdout().write_all(text.as_bytes()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
