//! What the session has published, and how much of it is durable.

use std::{sync::Arc, task::Waker};

use bus::Tally;

/// A stream's lane of this device; a lane keeps its order, so that counting is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Log = 0,
    Thing = 1,
}

const WAYS: usize = 2;

#[derive(Debug)]
struct Sent {
    tally: Arc<Tally>,
    sent: u64,
}

/// One count per way, made when it is first used.
#[derive(Debug, Default)]
pub(super) struct Lanes([Option<Sent>; WAYS]);

impl Lanes {
    pub(super) fn tally(&mut self, way: Way) -> &Arc<Tally> {
        &self.slot(way).tally
    }

    /// Counts what was just published; returns its position.
    pub(super) fn sent(&mut self, way: Way) -> u64 {
        let slot = self.slot(way);
        slot.sent += 1;
        slot.sent
    }

    pub(super) fn durable(&self, way: u8) -> u64 {
        self.0[usize::from(way)]
            .as_ref()
            .map_or(0, |sent| sent.tally.durable())
    }

    pub(super) fn register(&self, waker: &Waker) {
        for sent in self.0.iter().flatten() {
            sent.tally.register(waker);
        }
    }

    fn slot(&mut self, way: Way) -> &mut Sent {
        self.0[way as usize].get_or_insert_with(|| Sent {
            tally: Arc::default(),
            sent: 0,
        })
    }
}
