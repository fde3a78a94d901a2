//! How often each device may try.

use std::collections::HashMap;
use std::hash::Hash;

use ahash::RandomState;

const MINUTE_MS: i64 = 60_000;
/// Devices remembered, at most. One that is not remembered may try: the rest of the house is then busy
/// with far more devices than this.
const REMEMBERED: usize = 1 << 20;

/// A limit per minute for each of many: the whole minute's share at once, or evenly spread.
///
/// Of each only one time is kept: when all it has used will have come back. Who has used nothing for a while
/// is forgotten, so the memory is that of the few that tried a moment ago (16 bytes each).
pub(crate) struct Attempts {
    /// Milliseconds in which one attempt comes back.
    cost_ms: i64,
    full_again_at: HashMap<u64, i64, RandomState>,
    /// Keyed by chance, so that nobody can make two devices share a limit.
    hasher: RandomState,
    swept_at: i64,
}

impl Attempts {
    /// `per_minute` of 0 refuses all.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            cost_ms: MINUTE_MS / i64::from(per_minute).clamp(1, MINUTE_MS)
                + i64::from(per_minute == 0),
            full_again_at: HashMap::default(),
            hasher: RandomState::new(),
            swept_at: 0,
        }
    }

    /// Whether `who` may try at `now` (UTC milliseconds); a refused attempt costs nothing.
    pub(crate) fn admit(&mut self, who: impl Hash, now: i64) -> bool {
        self.sweep(now);
        let key = self.hasher.hash_one(who);
        let full = self.full_again_at.get(&key).map_or(now, |&at| at.max(now)) + self.cost_ms;
        if full - now > MINUTE_MS {
            return false;
        }
        if self.full_again_at.len() < REMEMBERED || self.full_again_at.contains_key(&key) {
            self.full_again_at.insert(key, full);
        }
        true
    }

    /// Forgets, now and then, who has everything back.
    fn sweep(&mut self, now: i64) {
        if now - self.swept_at < self.cost_ms {
            return;
        }
        self.swept_at = now;
        self.full_again_at.retain(|_, full| *full > now);
        if self.full_again_at.capacity() > 4 * self.full_again_at.len() + 1024 {
            self.full_again_at.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_at_once_then_one_every_three_seconds() {
        let mut attempts = Attempts::new(20);
        let admitted = (0..50).filter(|_| attempts.admit("pump-1", 1_000)).count();
        assert_eq!(admitted, 20);
        assert!(attempts.admit("pump-2", 1_000), "each device has its own");
        assert!(!attempts.admit("pump-1", 3_999));
        assert!(attempts.admit("pump-1", 4_000));
        assert!(!attempts.admit("pump-1", 4_001));
    }

    #[test]
    fn a_device_that_retries_for_ever_gets_its_share_and_no_more() {
        let mut attempts = Attempts::new(20);
        let admitted = (0..600)
            .filter(|second| attempts.admit("node", second * 1000))
            .count();
        assert_eq!(admitted, 20 + 599 / 3);
    }

    #[test]
    fn who_has_been_quiet_is_forgotten() {
        let mut attempts = Attempts::new(20);
        for device in 0..10_000 {
            attempts.admit(device, 0);
        }
        attempts.admit("late", 4_000);
        assert_eq!(attempts.full_again_at.len(), 1);
    }

    #[test]
    fn a_limit_of_none_refuses_all() {
        assert!(!Attempts::new(0).admit("pump-1", 0));
    }
}
