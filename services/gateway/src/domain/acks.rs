//! PUBACKs that wait: they leave in the order of their PUBLISHes, whichever stream each waits for.

use std::{collections::VecDeque, num::NonZeroU16};

/// A PUBACK and what must be durable before it may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pending<R> {
    pub(crate) packet_id: NonZeroU16,
    pub(crate) reason: R,
    /// Which lane it waits for: an index that the session gives.
    pub(crate) lane: u8,
    /// When its PUBLISH came, in milliseconds that wrap after 49 days: more would make every PUBACK larger.
    pub(crate) since_ms: u32,
    /// How many messages of that lane must be durable.
    pub(crate) at: u64,
}

/// The PUBACKs of one connection.
#[derive(Debug)]
pub(crate) struct Acks<R> {
    waiting: VecDeque<Pending<R>>,
}

impl<R> Default for Acks<R> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
        }
    }
}

impl<R: Copy> Acks<R> {
    pub(crate) fn push(&mut self, pending: Pending<R>) {
        self.waiting.push_back(pending);
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The next PUBACK that may leave; `durable` tells how far a lane has come.
    pub(crate) fn next(&mut self, durable: impl Fn(u8) -> u64) -> Option<Pending<R>> {
        let first = *self.waiting.front()?;
        if durable(first.lane) < first.at {
            return None;
        }
        self.waiting.pop_front();
        if self.waiting.is_empty() && self.waiting.capacity() > 16 {
            self.waiting = VecDeque::new();
        }
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pending(id: u16, lane: u8, at: u64) -> Pending<()> {
        Pending {
            packet_id: NonZeroU16::new(id).unwrap(),
            reason: (),
            lane,
            since_ms: 0,
            at,
        }
    }

    #[test]
    fn a_pending_puback_is_small() {
        assert_eq!(size_of::<Pending<u8>>(), 16);
    }

    #[test]
    fn a_later_publish_is_never_acknowledged_before_an_earlier_one() {
        let mut acks = Acks::default();
        acks.push(pending(1, 0, 1));
        acks.push(pending(2, 1, 1));
        acks.push(pending(3, 0, 2));
        assert_eq!(
            acks.next(|lane| [0, 9][usize::from(lane)]),
            None,
            "lane 1 is durable, lane 0 not"
        );
        let mut left = Vec::new();
        while let Some(ack) = acks.next(|_| 9) {
            left.push(ack.packet_id.get());
        }
        assert_eq!(left, [1, 2, 3]);
        assert_eq!(acks.len(), 0);
    }

    proptest! {
        #[test]
        fn all_leave_in_order_however_lanes_advance(
            lanes in prop::collection::vec(0u8..3, 1..50), steps in prop::collection::vec(0usize..3, 0..400),
        ) {
            let mut acks = Acks::default();
            let mut sent = [0u64; 3];
            for (index, lane) in lanes.iter().enumerate() {
                sent[usize::from(*lane)] += 1;
                acks.push(pending(index as u16 + 1, *lane, sent[usize::from(*lane)]));
            }
            let mut durable = [0u64; 3];
            let mut left = Vec::new();
            for step in steps.into_iter().chain([0; 50]).chain([1; 50]).chain([2; 50]) {
                durable[step] = (durable[step] + 1).min(sent[step]);
                while let Some(ack) = acks.next(|lane| durable[usize::from(lane)]) {
                    prop_assert!(ack.at <= durable[usize::from(ack.lane)]);
                    left.push(ack.packet_id.get());
                }
            }
            prop_assert_eq!(left, (1..=lanes.len() as u16).collect::<Vec<_>>());
        }
    }
}
