//! The command line, and the bounds that keep a run short and on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::{connect, echo, flood, idle, post, set};

/// A run that is not told to end soon is a mistake.
const LONGEST: u64 = 600;

/// Who is loaded.
pub(crate) struct Target {
    /// None: a broker that lets in anyone, for comparison.
    pub(crate) api: Option<Api>,
    pub(crate) mqtt: SocketAddr,
    /// Its certificate authority; with it, `mqtt` is the TLS door.
    pub(crate) ca_file: Option<PathBuf>,
    /// What these processes and their children use is measured too.
    pub(crate) pids: Vec<u32>,
}

/// The platform's REST door.
pub(crate) struct Api {
    /// As `http://127.0.0.1:8080`.
    pub(crate) url: String,
    pub(crate) token: String,
}

pub(crate) enum Mode {
    Post(post::Plan),
    Flood(flood::Plan),
    Connect(connect::Plan),
    Idle(idle::Plan),
    Set(set::Plan),
    Echo(echo::Plan),
}

/// Reads the command line; a wrong one ends the process with its help.
pub(crate) fn read() -> anyhow::Result<(Target, Mode)> {
    let matches = clap().get_matches();
    let target = target(&matches)?;
    let (name, options) = matches.subcommand().expect("clap asks for it");
    let count = |option| number(options, option) as usize;
    let seconds = |option| Duration::from_secs(number(options, option));
    let mode = match name {
        "post" => Mode::Post(post::Plan {
            devices: count("devices"),
            rate: options.get_one("rate").copied(),
            window: count("window"),
            warm_up: seconds("warm-up"),
            measured: seconds("seconds"),
            looks_in_log: !options.get_flag("without-log"),
        }),
        "flood" => Mode::Flood(flood::Plan {
            devices: count("devices"),
            qos: number(options, "qos") as u8,
            window: count("window"),
            payload: count("payload"),
            warm_up: seconds("warm-up"),
            measured: seconds("seconds"),
        }),
        "connect" => Mode::Connect(connect::Plan {
            devices: count("devices"),
            at_once: count("at-once"),
        }),
        "idle" => Mode::Idle(idle::Plan {
            devices: count("devices"),
            before: count("before"),
        }),
        "set" => Mode::Set(set::Plan {
            sets: count("times"),
        }),
        _ => Mode::Echo(echo::Plan {
            times: count("times"),
        }),
    };
    Ok((target, mode))
}

fn target(matches: &ArgMatches) -> anyhow::Result<Target> {
    let url: String = one(matches, "api");
    let mqtt: SocketAddr = one(matches, "mqtt");
    let host = reqwest::Url::parse(&url).context("--api is no URL")?;
    ensure!(
        mqtt.ip().is_loopback() && matches!(host.host_str(), Some("127.0.0.1" | "localhost")),
        "only a platform on this machine is loaded: --api and --mqtt must be loopback addresses"
    );
    let api = (!matches.get_flag("broker")).then(|| {
        let token_file: PathBuf = one(matches, "token-file");
        let token = std::fs::read_to_string(&token_file)
            .with_context(|| format!("the administrator's token in {}", token_file.display()))?;
        anyhow::Ok(Api {
            url,
            token: token.trim().to_owned(),
        })
    });
    Ok(Target {
        api: api.transpose()?,
        mqtt,
        ca_file: matches.get_one("ca-file").cloned(),
        pids: matches
            .get_many("pid")
            .unwrap_or_default()
            .copied()
            .collect(),
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
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .help(help)
    };
    let devices = |default| count("devices", default, 15_000, "Connected devices");
    let warm_up = || count("warm-up", "5", LONGEST, "Seconds before the measurement");
    let seconds = || count("seconds", "20", LONGEST, "Seconds of the measurement");
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
            flag(
                "broker",
                "No Hoshu but an MQTT broker that lets in anyone: devices are made up, REST is not asked",
            )
            .global(true),
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
                .action(ArgAction::Append)
                .global(true)
                .help("A process whose processor time and memory are measured, with its children; the first one's memory"),
        )
        .subcommand(
            Command::new("post")
                .about("Devices report properties, QoS 1, and wait for PUBACK and post_reply")
                .arg(devices("1000"))
                .arg(
                    Arg::new("rate")
                        .long("rate")
                        .value_parser(value_parser!(u64).range(1..))
                        .help("Posts a second of all devices together; without it, as fast as they are answered"),
                )
                .arg(count("window", "1", 100, "Unanswered posts that a device may have"))
                .arg(warm_up())
                .arg(seconds())
                .arg(flag("without-log", "Do not wait for the posts' lines in the log")),
        )
        .subcommand(
            Command::new("flood")
                .about("Devices publish as fast as they are acknowledged, and expect no reply")
                .arg(devices("1000"))
                .arg(count("qos", "1", 1, "1: each is PUBACKed; 0: a PINGREQ after each window is answered behind it"))
                .arg(count("window", "20", 100, "Unacknowledged messages that a device may have"))
                .arg(count("payload", "200", 65_536, "Bytes of a payload"))
                .arg(warm_up())
                .arg(seconds()),
        )
        .subcommand(
            Command::new("connect")
                .about("Devices connect, each once, with a signature to check")
                .arg(devices("5000"))
                .arg(count("at-once", "50", 1_000, "Handshakes at the same time")),
        )
        .subcommand(
            Command::new("idle")
                .about("Devices connect and say nothing; --pid tells whose memory is read")
                .arg(count("devices", "5000", 15_000, "Connections whose cost is measured"))
                .arg(count("before", "1000", 15_000, "Connections made first, which pay for what all share")),
        )
        .subcommand(
            Command::new("set")
                .about("Properties are set through REST, one at a time; the device answers at once")
                .arg(count("times", "1000", 100_000, "Sets")),
        )
        .subcommand(
            Command::new("echo")
                .about("One client of a broker publishes, another answers, one at a time")
                .arg(count("times", "1000", 100_000, "Round trips")),
        )
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_holds_together() {
        super::clap().debug_assert();
    }
}
