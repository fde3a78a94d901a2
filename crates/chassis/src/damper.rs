//! A warning that may come thousands of times, kept to one a minute.

use std::sync::Mutex;

const MINUTE_MS: i64 = 60_000;

/// Lets the first through at once, then one a minute, with the count of those between.
#[derive(Debug, Default)]
pub struct Damper(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// UTC milliseconds.
    told_at: Option<i64>,
    held_back: u64,
}

impl Damper {
    /// How often it has happened since it was last told, if it is to be told now.
    pub fn admit(&self, now_ms: i64) -> Option<u64> {
        let mut state = self.0.lock().expect("not poisoned");
        state.held_back += 1;
        if state.told_at.is_some_and(|at| now_ms - at < MINUTE_MS) {
            return None;
        }
        state.told_at = Some(now_ms);
        Some(std::mem::take(&mut state.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_those_of_a_minute_together() {
        let damper = Damper::default();
        assert_eq!(damper.admit(1_000), Some(1));
        for now in (1_100..61_000).step_by(100) {
            assert_eq!(damper.admit(now), None, "{now}");
        }
        assert_eq!(damper.admit(61_000), Some(600));
        assert_eq!(damper.admit(61_001), None);
        assert_eq!(damper.admit(500_000), Some(2));
    }
}
