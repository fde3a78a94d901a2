//! What a device finds when it comes back to a session that was kept.

use bytes::BytesMut;

use super::{
    lines,
    state::{Body, Outbound, Session, Waiting},
};
use crate::store::queue::Kept;

impl Session {
    /// Queues what was kept for it, oldest first, and sends what its window takes.
    pub(super) fn restore(&mut self, queue: Vec<Kept>, now: i64, output: &mut BytesMut) {
        let waiting = queue.into_iter().map(|kept| Waiting {
            kept: Box::new(kept),
            ticket: None,
        });
        self.backlog.extend(waiting);
        self.send_waiting(now, output);
    }

    pub(super) fn tell_offline(&mut self, kept: &Kept, packet_id: u16) {
        let device = self.facts.reference();
        let entry = lines::offline(
            self.now(),
            kept.message_id.clone(),
            device,
            &kept.topic,
            packet_id,
        );
        self.send(Outbound {
            body: Body::Log(entry),
            ack: None,
        });
    }
}
