//! `hoshu parked`: messages that could not be handled.

use std::time::Duration;

use anyhow::Context;
use bus::{Bus, parked};
use chassis::{Clock, Noun, Process, Settings};

/// A role waits for NATS as long as it takes; who types a command wants to know.
const PATIENCE: Duration = Duration::from_secs(5);

/// Parked messages shown at once.
const SHOWN: usize = 1000;

/// Prints what is parked, oldest first.
pub(crate) async fn list(settings: Settings) -> anyhow::Result<()> {
    let bus = connect(settings).await?;
    let entries = parked::list(&bus, SHOWN).await?;
    for parked::Entry { number, message } in &entries {
        println!(
            "{number}\t{}\t{}\t{} bytes\t{}",
            message.consumer,
            message.subject,
            message.payload.len() as u64 + message.cut,
            message.error
        );
    }
    println!(
        "{} parked. After the mend: hoshu parked replay <number> …",
        entries.len()
    );
    Ok(())
}

/// Has them handled again.
pub(crate) async fn replay(settings: Settings, numbers: &[u64]) -> anyhow::Result<()> {
    let bus = connect(settings).await?;
    for number in numbers {
        parked::replay(&bus, *number).await?;
        println!("{number} is on its way again");
    }
    Ok(())
}

async fn connect(settings: Settings) -> anyhow::Result<Bus> {
    let database = settings.database_url.clone();
    let chassis =
        Process::new(settings, Clock::default(), &[Noun::Api])?.chassis(Noun::Api, database);
    tokio::time::timeout(PATIENCE, Bus::connect(&chassis))
        .await
        .context("NATS at HOSHU_NATS_URL does not answer, or has no JetStream")?
}
