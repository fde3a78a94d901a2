//! `hoshu config`: what is in force.

use chassis::Settings;

use crate::command_line::Options;
use crate::roles::ROLES;

/// Prints the effective settings as a configuration file, secrets hidden.
pub(crate) fn print(options: &Options) -> anyhow::Result<()> {
    let settings = Settings::load(&options.files, &options.settings)?;
    println!("{}", toml::to_string(&settings)?);
    for role in ROLES {
        let config = (role.config)(&options.files)?;
        println!("[{}]\n{}", role.noun.word(), toml::to_string(&config)?);
    }
    Ok(())
}
