//! How fast a device is read. Who sends more is held up, and nothing of it is lost or refused for that: its own
//! connection fills, and its neighbours notice nothing.

use super::rate::Rate;

/// A device that is held up is read again after this time at the earliest, in milliseconds: one wait for many packets.
const LEAST_REST_MS: i64 = 50;

/// What was read of a device, against a rate.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// In nanoseconds.
    busy_until: i64,
}

impl Reading {
    /// Notes `packets` as read. Milliseconds that the next has to wait, if the rate is over.
    pub(crate) fn rest_after(&mut self, packets: usize, rate: Rate, now_ms: i64) -> Option<i64> {
        let now = now_ms.saturating_mul(1_000_000);
        let packets = i64::try_from(packets).unwrap_or(i64::MAX);
        let took = rate.each_nanos().saturating_mul(packets);
        self.busy_until = self.busy_until.max(now).saturating_add(took);
        let over = self.busy_until - now - rate.burst_nanos();
        (over > 0).then(|| (over / 1_000_000).max(LEAST_REST_MS))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_burst_is_read_at_once_and_then_the_rate_holds() {
        let rate = Rate::new(1000, 2000);
        let mut reading = Reading::default();
        assert_eq!(reading.rest_after(2000, rate, 7_000), None);
        assert_eq!(reading.rest_after(1, rate, 7_000), Some(LEAST_REST_MS));
        assert_eq!(reading.rest_after(40, rate, 7_050), None);
    }

    #[test]
    fn what_is_large_holds_up_for_as_long_as_it_is_large() {
        let rate = Rate::new(1000, 2000);
        let mut reading = Reading::default();
        assert_eq!(reading.rest_after(10_000, rate, 7_000), Some(8_000));
        assert_eq!(reading.rest_after(0, rate, 15_000), None);
    }

    proptest! {
        #[test]
        fn never_more_than_burst_and_rate_are_read_and_nobody_waits_for_ever(
            per_second in 1u32..5000, burst in 1u32..5000, packets in prop::collection::vec(0usize..2000, 1..200),
        ) {
            let rate = Rate::new(per_second, burst);
            let mut reading = Reading::default();
            let (mut now, mut read) = (0, 0);
            for packets in packets {
                let rest = reading.rest_after(packets, rate, now).unwrap_or(0);
                read += packets;
                now += rest;
                let due = (read as i64 - i64::from(burst)).max(0) * 1000 / i64::from(per_second);
                prop_assert!(now + 1 >= due - due / 1000, "{read} read in {now} ms");
                prop_assert!(rest <= packets as i64 * 1000 / i64::from(per_second) + LEAST_REST_MS + 1);
            }
        }
    }
}
