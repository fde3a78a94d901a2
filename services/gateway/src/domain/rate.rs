//! How often something may happen: a steady rate, and a burst on top after rest.

use std::sync::atomic::{AtomicI64, Ordering};

/// Of a second. In microseconds, 700,000 a second would be a million, and two million a second would be none.
const NANOS: i64 = 1_000_000_000;

/// A limit that users may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    /// What may happen every second for ever.
    pub(crate) per_second: u32,
    /// What may happen at once after a rest.
    pub(crate) burst: u32,
}

impl Rate {
    pub(crate) const fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second, burst }
    }

    /// What both allow, `factor` times over.
    pub(crate) const fn with(self, other: Self, factor: u32) -> Self {
        Self {
            per_second: self
                .per_second
                .saturating_add(other.per_second)
                .saturating_mul(factor),
            burst: self
                .burst
                .saturating_add(other.burst)
                .saturating_mul(factor),
        }
    }

    /// From one to the next.
    pub(super) fn each_nanos(self) -> i64 {
        (NANOS / i64::from(self.per_second.max(1))).max(1)
    }

    /// In which the burst would be used up at this rate.
    pub(super) fn burst_nanos(self) -> i64 {
        self.each_nanos() * i64::from(self.burst.max(1))
    }

    /// The next state of a meter that stands at `busy_until`, in nanoseconds; nothing if it is over.
    fn admit(self, busy_until: i64, now_ms: i64) -> Option<i64> {
        let now = now_ms.saturating_mul(1_000_000);
        let each = self.each_nanos();
        let from = busy_until.max(now);
        let tolerance = self.burst_nanos() - each;
        (from - now <= tolerance).then_some(from + each)
    }
}

/// Over a rate: the limit, and how many came in this second, refused ones counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Over {
    pub(crate) limit: u32,
    pub(crate) current: u32,
}

/// One device's meter.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    busy_until: i64,
    second: i64,
    came: u32,
}

impl Meter {
    pub(crate) fn take(&mut self, rate: Rate, now_ms: i64) -> Result<(), Over> {
        let second = now_ms.div_euclid(1000);
        if second != self.second {
            self.second = second;
            self.came = 0;
        }
        self.came = self.came.saturating_add(1);
        match rate.admit(self.busy_until, now_ms) {
            Some(next) => {
                self.busy_until = next;
                Ok(())
            }
            None => Err(Over {
                limit: rate.per_second,
                current: self.came,
            }),
        }
    }
}

/// A meter that many sessions share: an account's.
#[derive(Debug, Default)]
pub(crate) struct SharedMeter(AtomicI64);

impl SharedMeter {
    pub(crate) fn take(&self, rate: Rate, now_ms: i64) -> Result<(), Over> {
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |busy| {
                rate.admit(busy, now_ms)
            })
            .map(drop)
            .map_err(|_| Over {
                limit: rate.per_second,
                current: rate.per_second.saturating_add(1),
            })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_burst_passes_at_once_and_then_the_rate_holds() {
        let rate = Rate::new(100, 200);
        let mut meter = Meter::default();
        let passed = (0..500).filter(|_| meter.take(rate, 5_000).is_ok()).count();
        assert_eq!(passed, 200);
        assert_eq!(
            meter.take(rate, 5_000),
            Err(Over {
                limit: 100,
                current: 501
            })
        );
        let next_second = (0..500).filter(|_| meter.take(rate, 6_000).is_ok()).count();
        assert_eq!(next_second, 100);
    }

    #[test]
    fn an_account_shares_one_meter() {
        let meter = SharedMeter::default();
        let rate = Rate::new(10, 20);
        assert_eq!(
            (0..50).filter(|_| meter.take(rate, 1_000).is_ok()).count(),
            20
        );
        assert_eq!(
            (0..50).filter(|_| meter.take(rate, 1_500).is_ok()).count(),
            5
        );
    }

    #[test]
    fn a_rate_of_millions_holds_for_sessions_whose_clocks_differ_a_little() {
        for per_second in [700_000, 10_000_000, u32::MAX] {
            let rate = Rate::new(per_second, per_second);
            let meter = SharedMeter::default();
            assert_eq!(meter.take(rate, 1_700_000_000_001), Ok(()));
            assert_eq!(meter.take(rate, 1_700_000_000_000), Ok(()));
        }
    }

    #[test]
    fn a_rate_near_a_million_is_not_a_million() {
        let rate = Rate::new(700_000, 700_000);
        let meter = SharedMeter::default();
        let passed = |now| {
            (0..800_000)
                .filter(|_| meter.take(rate, now).is_ok())
                .count()
        };
        assert_eq!(passed(1_000), 700_000);
        let half_a_second_later = passed(1_500);
        assert!(
            (349_000..=351_000).contains(&half_a_second_later),
            "{half_a_second_later}"
        );
    }

    proptest! {
        #[test]
        fn never_more_than_burst_and_rate_pass(
            per_second in 1u32..500, burst in 1u32..500, gaps in prop::collection::vec(0i64..40, 1..400),
        ) {
            let rate = Rate::new(per_second, burst);
            let mut meter = Meter::default();
            let (mut now, mut passed) = (0, 0i64);
            for gap in gaps {
                now += gap;
                passed += i64::from(meter.take(rate, now).is_ok());
            }
            let each = 1_000_000_000 / i64::from(per_second);
            prop_assert!(passed <= i64::from(burst) + now * 1_000_000 / each + 1);
        }
    }
}
