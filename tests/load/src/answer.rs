//! A device that answers at once.

use crate::device::Link;
use crate::wire::{self, Packet};

/// Answers every message on this topic with what `reply` makes of it, until the connection ends.
pub(crate) async fn every_message(
    mut link: Link,
    topic: &str,
    reply: impl Fn(&[u8]) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<()> {
    let mut out = Vec::new();
    loop {
        link.fill().await?;
        let mut taken = 0;
        while let Some((packet, length)) = wire::read(&link.inbox[taken..])? {
            if let Packet::Publish { packet_id, payload } = packet {
                if let Some(id) = packet_id {
                    wire::puback(&mut out, id);
                }
                // Only one is on its way at a time: the packet id is free again.
                wire::publish(&mut out, topic, Some(1), &reply(payload)?);
            }
            taken += length;
        }
        link.take(taken);
        if !out.is_empty() {
            link.write(&out).await?;
            out.clear();
        }
    }
}
