//! Runs a role, or a short command, to its end.

use std::time::Duration;

use anyhow::Context;
use chassis::{Clock, Noun, Process, Settings, telemetry};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::command_line::Options;
use crate::roles::ROLES;

/// How long what runs may take to end after it was told to.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(8);

/// The part of `/readyz` that says whether a role has started.
pub(crate) const DOORS: &str = "doors";

/// Runs one role until it is told to stop.
pub(crate) fn role(noun: Noun, options: Options) -> anyhow::Result<()> {
    let role = ROLES
        .iter()
        .find(|role| role.noun == noun)
        .context("no such role")?;
    let settings = Settings::load(&options.files, &options.settings)?;
    runtime()?.block_on(async {
        let telemetry = telemetry::init(&settings, noun.role())?;
        let process = Process::new(settings.clone(), Clock::default(), &[noun])?;
        let chassis = process.chassis(noun, settings.database_url.clone());
        // Nobody is sent to doors that are not open yet.
        chassis.ready(DOORS, Err("not open yet".into()));
        process.serve_ops().await?;
        let started = tokio::select! {
            started = (role.start)(&options.files, chassis.clone()) => started.map(|()| true),
            // A store that is away is waited for; the wait can be ended.
            () = told_to_stop() => Ok(false),
        };
        if matches!(started, Ok(true)) {
            chassis.ready(DOORS, Ok(()));
            tracing::info!(role = noun.role(), "started");
            told_to_stop().await;
        }
        process.stop(STOP_WITHIN).await;
        telemetry.flush();
        started.map(drop)
    })
}

/// Runs a command that ends by itself.
pub(crate) fn short(
    options: Options,
    command: impl AsyncFnOnce(Settings) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut files = options.files.clone();
    // A house that is up on this folder says where its servers are.
    let known = Settings::load(&files, &options.settings)?;
    files.extend(crate::up::servers_file(&known).filter(|file| file.exists()));
    let mut settings = Settings::load(&files, &options.settings)?;
    settings.log = "warn".into();
    runtime()?.block_on(async {
        let telemetry = telemetry::init(&settings, "hoshu")?;
        let done = command(settings).await;
        telemetry.flush();
        done
    })
}

pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    // Two TLS libraries' worth of crates agree on one provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    raise_file_limit();
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

/// A connection is a file handle, and engines start processes with a thousand: takes what the system allows.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, most) {
        eprintln!("hoshu: the limit of open files stays as it is: {error}");
    }
}

/// Resolves at Ctrl-C or SIGTERM.
pub(crate) async fn told_to_stop() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return tracing::error!("signals cannot be heard");
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
