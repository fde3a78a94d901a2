//! All roles in one process.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use chassis::{Chassis, Clock, Noun, Process, Secret, Settings, telemetry};
use futures::future::try_join_all;

use super::Embedded;
use super::{data_folder, secrets};
use crate::command_line::Options;
use crate::roles::ROLES;
use crate::{database, run};

/// Where `hoshu up` keeps its data unless it is told.
const DATA_DIR: &str = ".hoshu";
/// Tells other commands where the servers of a house that is up are; removed when it stops.
const SERVERS: &str = "servers.toml";

/// Runs the whole platform until it is told to stop.
pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut settings = Settings::load(&options.files, &options.settings)?;
    let data_dir = data_dir(&settings);
    let embedded = Embedded::start(
        &data_dir,
        settings.database_url.is_empty(),
        settings.nats_url.is_empty(),
    )?;
    take_servers(&mut settings, &embedded);
    settings.data_dir = Some(data_dir.clone());
    run::runtime()?.block_on(async {
        let ran = live(settings, &data_dir, &options, begun).await;
        secrets::remove(&data_dir.join(SERVERS));
        embedded.stop().await;
        ran
    })
}

/// Where the servers of the house that is up on these settings' folder are written; one that was killed has left
/// the file, and its servers are gone.
pub(crate) fn servers_file(settings: &Settings) -> Option<PathBuf> {
    let wanted = settings.database_url.is_empty() || settings.nats_url.is_empty();
    let folder = data_dir(settings);
    (wanted && data_folder::is_taken(&folder)).then(|| folder.join(SERVERS))
}

fn data_dir(settings: &Settings) -> PathBuf {
    settings.data_dir.clone().unwrap_or_else(|| DATA_DIR.into())
}

fn take_servers(settings: &mut Settings, embedded: &Embedded) {
    if let Some(url) = &embedded.database_url {
        settings.database_url = Secret::new(url);
    }
    if let Some(url) = &embedded.nats_url {
        settings.nats_url = Secret::new(url);
    }
}

async fn live(
    mut settings: Settings,
    data_dir: &Path,
    options: &Options,
    begun: Instant,
) -> anyhow::Result<()> {
    let telemetry = telemetry::init(&settings, "hoshu")?;
    if settings.master_key.is_empty() {
        settings.master_key = secrets::kept(&data_dir.join("master-key"), secrets::random)?;
    }
    if settings.admin_token.is_empty() {
        settings.admin_token = secrets::kept(&data_dir.join("admin-token"), || {
            format!("hoshu_{}", secrets::random())
        })?;
    }
    if settings.internal_token.is_empty() {
        settings.internal_token = Secret::new(secrets::random());
    }
    if settings.database_password.is_empty() {
        settings.database_password = Secret::new(secrets::random());
    }
    let password = settings.database_password.clone();
    let administrator = settings.database_url.clone();
    database::init(&administrator, &password).await?;
    secrets::write(&data_dir.join(SERVERS), &servers(&settings))?;

    let nouns: Vec<Noun> = ROLES.iter().map(|role| role.noun).collect();
    let process = Process::new(settings.clone(), Clock::default(), &nouns)?;
    let started = start(&process, &settings, options).await;
    if started.is_ok() {
        welcome(&settings, begun);
        run::told_to_stop().await;
        println!("hoshu is stopping");
    }
    process.stop(run::STOP_WITHIN).await;
    telemetry.flush();
    started
}

async fn start(process: &Process, settings: &Settings, options: &Options) -> anyhow::Result<()> {
    let url_of = |noun| database::url_of(&settings.database_url, noun, &settings.database_password);
    let chassis: Vec<Chassis> = ROLES
        .iter()
        .map(|role| Ok(process.chassis(role.noun, url_of(role.noun)?)))
        .collect::<anyhow::Result<_>>()?;
    for chassis in &chassis {
        chassis.ready(run::DOORS, Err("not open yet".into()));
    }
    process.serve_ops().await?;
    try_join_all(ROLES.iter().zip(&chassis).map(async |(role, chassis)| {
        (role.start)(&options.files, chassis.clone())
            .await
            .with_context(|| format!("{} cannot start", role.noun.role()))?;
        chassis.ready(run::DOORS, Ok(()));
        anyhow::Ok(())
    }))
    .await?;
    let pool = sqlx::PgPool::connect(url_of(Noun::Api)?.expose()).await?;
    api::ensure_default_account(
        &pool,
        Some(settings.admin_token.expose()),
        process.clock().now(),
    )
    .await?;
    pool.close().await;
    Ok(())
}

fn servers(settings: &Settings) -> String {
    format!(
        "database_url = {:?}\nnats_url = {:?}\n",
        settings.database_url.expose(),
        settings.nats_url.expose()
    )
}

#[allow(clippy::print_stdout)]
fn welcome(settings: &Settings, begun: Instant) {
    let port = settings.api_addr.rsplit(':').next().unwrap_or("8080");
    println!();
    println!("  API browser  http://localhost:{port}/api/docs");
    println!("  User         admin");
    println!("  Token        {}", settings.admin_token.expose());
    println!();
    println!(
        "hoshu is ready (started in {:.1} s; Ctrl-C stops it)",
        begun.elapsed().as_secs_f64()
    );
}
