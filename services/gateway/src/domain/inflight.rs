//! QoS 1 messages on their way down that wait for the device's PUBACK.

use std::{collections::VecDeque, num::NonZeroU16};

/// What was sent, oldest first, by packet id.
#[derive(Debug)]
pub(crate) struct Inflight<T> {
    last_id: u16,
    sent: VecDeque<(NonZeroU16, T)>,
}

impl<T> Default for Inflight<T> {
    fn default() -> Self {
        Self {
            last_id: 0,
            sent: VecDeque::new(),
        }
    }
}

impl<T> Inflight<T> {
    pub(crate) fn len(&self) -> usize {
        self.sent.len()
    }

    /// Notes what is sent now and gives it a packet id that no other message has. The window is far
    /// smaller than the ids.
    pub(crate) fn send(&mut self, what: T) -> NonZeroU16 {
        let id = loop {
            self.last_id = self.last_id.wrapping_add(1);
            match NonZeroU16::new(self.last_id) {
                Some(id) if !self.sent.iter().any(|(taken, _)| *taken == id) => break id,
                _ => {}
            }
        };
        self.sent.push_back((id, what));
        id
    }

    /// Notes what is sent again, under the packet id that it had before.
    pub(crate) fn send_again(&mut self, id: NonZeroU16, what: T) -> NonZeroU16 {
        if self.sent.iter().any(|(taken, _)| *taken == id) {
            return self.send(what);
        }
        self.sent.push_back((id, what));
        id
    }

    pub(crate) fn get_mut(&mut self, id: NonZeroU16) -> Option<&mut T> {
        self.sent
            .iter_mut()
            .rev()
            .find_map(|(sent, what)| (*sent == id).then_some(what))
    }

    /// The device has it; nothing if no such message waits.
    pub(crate) fn acknowledge(&mut self, id: NonZeroU16) -> Option<T> {
        let index = self.sent.iter().position(|(sent, _)| *sent == id)?;
        let (_, what) = self.sent.remove(index)?;
        if self.sent.is_empty() {
            self.sent = VecDeque::new();
        }
        Some(what)
    }

    /// All that no PUBACK came for, oldest first.
    pub(crate) fn take_all(&mut self) -> VecDeque<(NonZeroU16, T)> {
        std::mem::take(&mut self.sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_never_zero_and_never_taken_twice() {
        let mut inflight = Inflight {
            last_id: u16::MAX - 2,
            ..Inflight::default()
        };
        let ids: Vec<u16> = (0..5).map(|n| inflight.send(n).get()).collect();
        assert_eq!(ids, [65534, 65535, 1, 2, 3]);
        inflight.last_id = 65533;
        assert_eq!(inflight.send(9).get(), 4, "those in use are passed over");
    }

    #[test]
    fn an_unknown_puback_is_no_acknowledgement() {
        let mut inflight = Inflight::default();
        let id = inflight.send("a");
        inflight.send("b");
        assert_eq!(inflight.acknowledge(NonZeroU16::new(77).unwrap()), None);
        assert_eq!(inflight.acknowledge(id), Some("a"));
        assert_eq!(inflight.acknowledge(id), None);
        let left = inflight.take_all().into_iter().map(|(_, what)| what);
        assert_eq!(left.collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn what_is_sent_again_has_its_id_and_what_is_new_another() {
        let mut inflight = Inflight::default();
        let one = NonZeroU16::MIN;
        assert_eq!(inflight.send_again(one, "again"), one);
        assert_eq!(inflight.send("new").get(), 2);
        assert_eq!(inflight.send_again(one, "late").get(), 3, "it is taken");
    }
}
