//! The time in which what happens is measured.

use std::time::Duration;

use tokio::time::Instant;

/// After the warm-up, until the devices stop.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: Instant,
    pub(crate) to: Instant,
}

impl Span {
    pub(crate) fn after(begun: Instant, warm_up: Duration, measured: Duration) -> Self {
        let from = begun + warm_up;
        Self {
            from,
            to: from + measured,
        }
    }

    pub(crate) fn holds(self, now: Instant) -> bool {
        self.from <= now && now < self.to
    }
}
