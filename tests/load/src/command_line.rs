//! The command line, and the bounds that keep a run short and on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::{Arg, ArgMatches, Command, value_parser};

use crate::idle;
use crate::post;

/// A run that is not told to end soon is a mistake.
const LONGEST: u64 = 600;

/// The platform that is loaded.
pub(crate) struct Target {
    /// As `http://127.0.0.1:8080`.
    pub(crate) api: String,
    pub(crate) token: String,
    pub(crate) mqtt: SocketAddr,
    /// Its certificate authority; with it, `mqtt` is the TLS door.
    pub(crate) ca_file: Option<PathBuf>,
    /// The platform's process: what it and its children use is measured too.
    pub(crate) pid: Option<u32>,
}

pub(crate) enum Mode {
    Post(post::Plan),
    Idle(idle::Plan),
}

/// Reads the command line; a wrong one ends the process with its help.
pub(crate) fn read() -> anyhow::Result<(Target, Mode)> {
    let matches = clap().get_matches();
    let target = target(&matches)?;
    let mode = match matches.subcommand() {
        Some(("post", post)) => Mode::Post(post::Plan {
            devices: number(post, "devices") as usize,
            rate: post.get_one::<u64>("rate").copied(),
            window: number(post, "window") as usize,
            warm_up: Duration::from_secs(number(post, "warm-up")),
            measured: Duration::from_secs(number(post, "seconds")),
        }),
        Some((_, idle)) => Mode::Idle(idle::Plan {
            devices: number(idle, "devices") as usize,
            before: number(idle, "before") as usize,
        }),
        None => unreachable!("clap asks for it"),
    };
    Ok((target, mode))
}

fn target(matches: &ArgMatches) -> anyhow::Result<Target> {
    let api: String = one(matches, "api");
    let mqtt: SocketAddr = one(matches, "mqtt");
    let host = reqwest::Url::parse(&api).context("--api is no URL")?;
    ensure!(
        mqtt.ip().is_loopback() && matches!(host.host_str(), Some("127.0.0.1" | "localhost")),
        "only a platform on this machine is loaded: --api and --mqtt must be loopback addresses"
    );
    let token_file: PathBuf = one(matches, "token-file");
    let token = std::fs::read_to_string(&token_file)
        .with_context(|| format!("the administrator's token in {}", token_file.display()))?;
    Ok(Target {
        api,
        token: token.trim().to_owned(),
        mqtt,
        ca_file: matches.get_one("ca-file").cloned(),
        pid: matches.get_one("pid").copied(),
    })
}

fn one<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> T {
    matches
        .get_one::<T>(name)
        .cloned()
        .expect("it has a default")
}

fn number(matches: &ArgMatches, name: &str) -> u64 {
    one(matches, name)
}

fn clap() -> Command {
    let text = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .default_value(default)
            .global(true)
            .help(help)
    };
    let count = |name: &'static str, default: &'static str, most: u64, help: &'static str| {
        Arg::new(name)
            .long(name)
            .default_value(default)
            .value_parser(value_parser!(u64).range(0..=most))
            .help(help)
    };
    Command::new("load")
        .about("Loads a Hoshu on this machine with devices, and prints what it measured as JSON")
        .subcommand_required(true)
        .arg(text("api", "http://127.0.0.1:8080", "REST"))
        .arg(
            text("mqtt", "127.0.0.1:1883", "The devices' door")
                .value_parser(value_parser!(SocketAddr)),
        )
        .arg(
            text(
                "token-file",
                ".hoshu/admin-token",
                "Holds the administrator's token",
            )
            .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            Arg::new("ca-file")
                .long("ca-file")
                .value_parser(value_parser!(PathBuf))
                .global(true)
                .help("Trust this certificate authority, and connect by TLS"),
        )
        .arg(
            Arg::new("pid")
                .long("pid")
                .value_parser(value_parser!(u32))
                .global(true)
                .help("The platform's process, whose processor time and memory are measured"),
        )
        .subcommand(
            Command::new("post")
                .about("Devices report properties, QoS 1, and wait for PUBACK and post_reply")
                .arg(count("devices", "1000", 15_000, "Connected devices"))
                .arg(
                    Arg::new("rate")
                        .long("rate")
                        .value_parser(value_parser!(u64).range(1..))
                        .help("Posts a second of all devices together; without it, as fast as they are answered"),
                )
                .arg(count("window", "1", 100, "Unanswered posts that a device may have"))
                .arg(count("warm-up", "5", LONGEST, "Seconds before the measurement"))
                .arg(count("seconds", "20", LONGEST, "Seconds of the measurement")),
        )
        .subcommand(
            Command::new("idle")
                .about("Devices connect and say nothing; --pid tells whose memory is read")
                .arg(count("devices", "5000", 15_000, "Connections whose cost is measured"))
                .arg(count("before", "1000", 15_000, "Connections made first, which pay for what all share")),
        )
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_holds_together() {
        super::clap().debug_assert();
    }
}
