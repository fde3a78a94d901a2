//! When a device sends its next post.

use std::time::Duration;

use tokio::time::Instant;

use super::Plan;

/// One device's share of the load.
pub(crate) struct Pace {
    /// When the next post is due; it is measured from then on, also if it could only be sent later.
    next: Instant,
    /// Between two posts; none: whenever there is room in the window.
    every: Option<Duration>,
    window: usize,
}

impl Pace {
    /// Devices begin one after the other within their interval, so that the load is even.
    pub(crate) fn new(begun: Instant, plan: &Plan, place: usize) -> Self {
        let every = plan
            .rate
            .map(|rate| Duration::from_secs_f64(plan.devices as f64 / rate as f64));
        let offset = every
            .unwrap_or_default()
            .mul_f64(place as f64 / plan.devices as f64);
        Self {
            next: begun + offset,
            every,
            window: plan.window,
        }
    }

    /// Whether a post is to be sent now, and since when it is due.
    pub(crate) fn due(&mut self, now: Instant, unanswered: usize) -> Option<Instant> {
        if unanswered >= self.window || self.next > now {
            return None;
        }
        let Some(every) = self.every else {
            return Some(now);
        };
        let since = self.next;
        self.next += every;
        Some(since)
    }

    /// When to look again, unless an answer comes first.
    pub(crate) fn wake(&self, now: Instant, unanswered: usize) -> Option<Instant> {
        (unanswered < self.window).then(|| self.next.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(rate: Option<u64>, window: usize) -> Plan {
        Plan {
            devices: 10,
            rate,
            window,
            warm_up: Duration::ZERO,
            measured: Duration::from_secs(1),
            looks_in_log: true,
        }
    }

    #[test]
    fn a_late_post_is_measured_from_when_it_was_due() {
        let begun = Instant::now();
        // Ten devices, five posts a second: each every two seconds, the fifth one second in.
        let mut pace = Pace::new(begun, &plan(Some(5), 1), 5);
        let second = Duration::from_secs(1);
        assert_eq!(pace.due(begun, 0), None);
        assert_eq!(pace.wake(begun, 0), Some(begun + second));
        assert_eq!(pace.due(begun + 7 * second, 0), Some(begun + second));
        assert_eq!(pace.due(begun + 7 * second, 1), None);
        assert_eq!(pace.due(begun + 7 * second, 0), Some(begun + 3 * second));
    }

    #[test]
    fn without_a_rate_only_the_window_holds_it_back() {
        let begun = Instant::now();
        let mut pace = Pace::new(begun, &plan(None, 2), 0);
        assert_eq!(pace.due(begun, 1), Some(begun));
        assert_eq!(pace.due(begun, 2), None);
        assert_eq!(pace.wake(begun, 2), None);
    }
}
