//! Many devices: made, then connected a few at a time.

use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};

use crate::command_line::Target;
use crate::device::{Door, Link};
use crate::house::{House, Made};

/// Handshakes at the same time: a queue longer than the platform's would measure the kernel.
const AT_ONCE: usize = 256;

pub(crate) struct Member {
    pub(crate) made: Made,
    pub(crate) link: Link,
}

/// Makes devices of a new product.
pub(crate) async fn make(house: &House, count: usize) -> anyhow::Result<Vec<Made>> {
    let product_key = house.make_product().await?;
    house.make_devices(&product_key, count).await
}

/// Connects them all; answers with how long that took.
pub(crate) async fn connect(
    target: &Target,
    made: Vec<Made>,
) -> anyhow::Result<(Vec<Member>, Duration)> {
    let door = Door::of(target)?;
    let begun = Instant::now();
    let members = stream::iter(made)
        .map(|made| async {
            let link = door.connect(&made).await?;
            anyhow::Ok(Member { made, link })
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok((members, begun.elapsed()))
}
