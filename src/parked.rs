//! `hoshu parked`: messages that could not be handled.

use bus::{Bus, parked};
use chassis::{Chassis, Clock, Noun, Process, Settings};

/// Parked messages shown at once.
const SHOWN: usize = 1000;

/// Prints what is parked, oldest first.
pub(crate) async fn list(settings: Settings) -> anyhow::Result<()> {
    let bus = Bus::connect(&chassis(settings)?).await?;
    let entries = parked::list(&bus, SHOWN).await?;
    for parked::Entry { number, message } in &entries {
        println!(
            "{number}\t{}\t{}\t{} bytes\t{}",
            message.consumer,
            message.subject,
            message.payload.len(),
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
    let bus = Bus::connect(&chassis(settings)?).await?;
    for number in numbers {
        parked::replay(&bus, *number).await?;
        println!("{number} is on its way again");
    }
    Ok(())
}

fn chassis(settings: Settings) -> anyhow::Result<Chassis> {
    let database = settings.database_url.clone();
    Ok(Process::new(settings, Clock::default(), &[Noun::Api])?.chassis(Noun::Api, database))
}
