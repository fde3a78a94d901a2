//! What runs by the clock.

use std::future::Future;
use std::time::Duration;

use chassis::Phase;
use tokio_util::sync::CancellationToken;

use crate::Thing;

mod overdue;
mod publications;
mod retention;
pub(crate) mod unlogged;

pub(crate) fn spawn(thing: &Thing) {
    let chassis = &thing.chassis;
    let this = thing.clone();
    chassis.spawn(Phase::Inbox, "publications", move |stop| {
        publications::run(this.clone(), stop)
    });
    let this = thing.clone();
    chassis.spawn(Phase::Inbox, "overdue", move |stop| {
        let this = this.clone();
        async move { every(&this.clone(), overdue::PACE, stop, || overdue::turn(&this)).await }
    });
    let this = thing.clone();
    chassis.spawn(Phase::Inbox, "unlogged", move |stop| {
        let this = this.clone();
        async move {
            every(&this.clone(), unlogged::PACE, stop, || {
                unlogged::turn(&this)
            })
            .await
        }
    });
    let this = thing.clone();
    chassis.spawn(Phase::Inbox, "retention", move |stop| {
        let this = this.clone();
        async move {
            every(&this.clone(), retention::PACE, stop, || {
                retention::turn(&this)
            })
            .await
        }
    });
}

/// Takes a turn, and another after each pause, until it is told to stop.
async fn every<F, Fut>(
    thing: &Thing,
    pace: Duration,
    stop: CancellationToken,
    turn: F,
) -> anyhow::Result<()>
where
    F: Fn() -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    loop {
        turn().await?;
        let pause = thing.chassis.clock().sleep(pace);
        if stop.run_until_cancelled(pause).await.is_none() {
            return Ok(());
        }
    }
}
