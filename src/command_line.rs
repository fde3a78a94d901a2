//! The command line. Every setting is an option too, made from the settings' own names.

use std::path::PathBuf;

use chassis::{Noun, Settings};
use clap::{Arg, ArgAction, ArgMatches, Command as Clap, value_parser};

use crate::roles::ROLES;

/// What is asked for.
pub(crate) enum Command {
    Up,
    Role(Noun),
    CreateAccount(String),
    InitDatabase,
    Config,
    Health,
    ListParked,
    ReplayParked(Vec<u64>),
}

/// What is said beside the command.
#[derive(Clone, Default)]
pub(crate) struct Options {
    pub(crate) files: Vec<PathBuf>,
    /// Settings by name, as `("mqtt_addr", "0.0.0.0:1884")`.
    pub(crate) settings: Vec<(String, String)>,
}

/// Reads the command line; a wrong one ends the process with its help.
pub(crate) fn read() -> (Command, Options) {
    let matches = clap().get_matches();
    let options = Options {
        files: matches
            .get_many("config")
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
        settings: Settings::names()
            .into_iter()
            .filter_map(|name| Some((name.clone(), matches.get_one::<String>(&name)?.clone())))
            .collect(),
    };
    (command(&matches), options)
}

fn command(matches: &ArgMatches) -> Command {
    let text = |matches: &ArgMatches, name: &str| {
        matches.get_one::<String>(name).cloned().unwrap_or_default()
    };
    match matches.subcommand() {
        Some(("account", account)) => match account.subcommand() {
            Some((_, create)) => Command::CreateAccount(text(create, "name")),
            None => unreachable!("clap asks for it"),
        },
        Some(("database", _)) => Command::InitDatabase,
        Some(("config", _)) => Command::Config,
        Some(("health", _)) => Command::Health,
        Some(("parked", parked)) => match parked.subcommand() {
            Some(("replay", replay)) => Command::ReplayParked(
                replay
                    .get_many("number")
                    .into_iter()
                    .flatten()
                    .copied()
                    .collect(),
            ),
            _ => Command::ListParked,
        },
        Some((name, _)) => match ROLES.iter().find(|role| role.noun.role() == name) {
            Some(role) => Command::Role(role.noun),
            None => Command::Up,
        },
        None => unreachable!("clap asks for it"),
    }
}

fn clap() -> Clap {
    let mut clap = Clap::new("hoshu")
        .about("Keeps a fleet of IoT devices healthy")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .help("A configuration file (TOML): settings, and a section per role, as [registry]. The environment and options win over it")
                .value_parser(value_parser!(PathBuf))
                .action(ArgAction::Append)
                .global(true),
        )
        .subcommand(Clap::new("up").about("All services on this machine, with a PostgreSQL and a NATS server of their own; Ctrl-C stops it all"))
        .subcommand(
            Clap::new("account").about("Accounts").subcommand_required(true).subcommand(
                Clap::new("create")
                    .about("Make an account and print its first ADMIN token, this once")
                    .arg(Arg::new("name").required(true)),
            ),
        )
        .subcommand(
            Clap::new("database").about("The database").subcommand_required(true).subcommand(
                Clap::new("init").about("Make a login and a schema per service, with an administrator's --database-url"),
            ),
        )
        .subcommand(Clap::new("config").about("Print the effective settings, secrets hidden"))
        .subcommand(Clap::new("health").about("Ask the role on this machine whether it is ready (/readyz); fails when it is not"))
        .subcommand(
            Clap::new("parked")
                .about("Messages that could not be handled")
                .subcommand_required(true)
                .subcommand(Clap::new("list").about("List them, oldest first"))
                .subcommand(
                    Clap::new("replay").about("Have them handled again").arg(
                        Arg::new("number").required(true).num_args(1..).value_parser(value_parser!(u64)),
                    ),
                ),
        );
    for role in ROLES {
        clap = clap.subcommand(Clap::new(role.noun.role()).about(role.about));
    }
    for name in Settings::names() {
        let variable = format!("HOSHU_{}", name.to_uppercase());
        clap = clap.arg(
            Arg::new(name.clone())
                .long(name.replace('_', "-"))
                .value_name("VALUE")
                .help(format!("The same as {variable}"))
                .help_heading("Settings")
                .global(true),
        );
    }
    clap
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        clap().debug_assert();
    }
}
