//! What the log is told of a server that goes away and comes back: the client tries ten times a second,
//! and says so each time.

use chassis::Damper;

#[derive(Debug, Default)]
pub(crate) struct Absence {
    /// UTC milliseconds; nothing while it is there.
    since: Option<i64>,
    failures: Damper,
}

impl Absence {
    pub(crate) fn begin(&mut self, now_ms: i64) {
        self.since.get_or_insert(now_ms);
    }

    /// Another attempt to reach it has failed: for how many seconds it has been away, if that is to be told
    /// now. The first attempt begins it, where there was no connection yet.
    pub(crate) fn goes_on(&mut self, now_ms: i64) -> Option<i64> {
        let since = *self.since.get_or_insert(now_ms);
        self.failures.admit(now_ms)?;
        Some((now_ms - since) / 1000)
    }

    /// It is back: after how many seconds, if it was away.
    pub(crate) fn end(&mut self, now_ms: i64) -> Option<i64> {
        let since = std::mem::take(self).since?;
        Some((now_ms - since) / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_failures_a_second_are_told_once_and_then_once_a_minute() {
        let mut absence = Absence::default();
        absence.begin(0);
        let told: Vec<_> = (0..150_000)
            .step_by(100)
            .filter_map(|now| absence.goes_on(now))
            .collect();
        assert_eq!(told, [0, 60, 120]);
        assert_eq!(absence.end(150_000), Some(150));
        assert_eq!(absence.goes_on(150_100), Some(0), "the next is another");
    }

    #[test]
    fn a_first_connection_is_no_return_and_one_that_had_to_wait_is() {
        assert_eq!(Absence::default().end(0), None);
        let mut absence = Absence::default();
        assert_eq!(absence.goes_on(1_000), Some(0));
        assert_eq!(absence.goes_on(1_100), None);
        assert_eq!(absence.end(4_000), Some(3));
    }
}
