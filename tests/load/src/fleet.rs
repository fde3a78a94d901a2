//! Many devices: made, then connected a few at a time.

use std::time::{Duration, Instant};

use alink::Device;
use futures::{StreamExt, TryStreamExt, stream};

use crate::command_line::Target;
use crate::device::{Door, Link};
use crate::house::{House, Made};
use crate::latency::Latency;

/// Enough to keep both sides busy; with more a slow machine's handshakes wait for each other until they are too late.
pub(crate) const AT_ONCE: usize = 64;

pub(crate) struct Member {
    pub(crate) made: Made,
    pub(crate) link: Link,
}

/// Members that were welcomed, and how long that took.
pub(crate) struct Welcomed {
    pub(crate) members: Vec<Member>,
    pub(crate) took: Duration,
    /// From opening a connection to its CONNACK.
    pub(crate) latency: Latency,
}

impl Welcomed {
    pub(crate) fn per_second(&self) -> f64 {
        self.members.len() as f64 / self.took.as_secs_f64()
    }
}

/// Makes devices of a new product without a model; a broker does not ask for any.
pub(crate) async fn make(target: &Target, count: usize) -> anyhow::Result<Vec<Made>> {
    if target.api.is_none() {
        return (0..count).map(made_up).collect();
    }
    let house = House::new(target)?;
    let product_key = house.make_product().await?;
    house.make_devices(&product_key, count).await
}

/// Makes devices of a new product with the load's model.
pub(crate) async fn make_with_model(house: &House, count: usize) -> anyhow::Result<Vec<Made>> {
    let product_key = house.make_product().await?;
    house.give_model(&product_key).await?;
    house.make_devices(&product_key, count).await
}

fn made_up(place: usize) -> anyhow::Result<Made> {
    Ok(Made {
        device: Device::parse("load", &format!("device-{place}"))?,
        secret: "nobody asks for it".to_owned(),
    })
}

/// Connects them all, so many at the same time.
pub(crate) async fn connect(
    target: &Target,
    made: Vec<Made>,
    at_once: usize,
) -> anyhow::Result<Welcomed> {
    let door = Door::of(target)?;
    let begun = Instant::now();
    let welcomed: Vec<(Member, Duration)> = stream::iter(made)
        .map(|made| async {
            let begun = Instant::now();
            let link = door.connect(&made).await?;
            anyhow::Ok((Member { made, link }, begun.elapsed()))
        })
        .buffer_unordered(at_once)
        .try_collect()
        .await?;
    let took = begun.elapsed();
    let mut latency = Latency::default();
    let members = welcomed.into_iter().map(|(member, took)| {
        latency.note(took);
        member
    });
    Ok(Welcomed {
        members: members.collect(),
        took,
        latency,
    })
}
