//! Failed CONNECTs of one address, so that guessing is slow and refusing cheap.

use std::collections::HashMap;

use super::source::Source;

const MINUTE_MS: i64 = 60_000;

#[derive(Debug)]
struct Failures {
    since: i64,
    count: u32,
}

/// A bounded table of addresses that failed lately.
#[derive(Debug)]
pub(crate) struct Attempts {
    table: HashMap<Source, Failures>,
    capacity: usize,
    per_minute: u32,
}

impl Attempts {
    pub(crate) fn new(capacity: usize, per_minute: u32) -> Self {
        Self {
            table: HashMap::new(),
            capacity: capacity.max(1),
            per_minute,
        }
    }

    pub(crate) fn may_try(&self, source: Source, now: i64) -> bool {
        self.table.get(&source).is_none_or(|failures| {
            now - failures.since >= MINUTE_MS || failures.count < self.per_minute
        })
    }

    pub(crate) fn failed(&mut self, source: Source, now: i64) {
        if let Some(failures) = self.table.get_mut(&source) {
            if now - failures.since >= MINUTE_MS {
                *failures = Failures {
                    since: now,
                    count: 0,
                };
            }
            failures.count = failures.count.saturating_add(1);
            return;
        }
        if self.table.len() >= self.capacity {
            self.make_room(now);
        }
        self.table.insert(
            source,
            Failures {
                since: now,
                count: 1,
            },
        );
    }

    /// Forgets those whose minute is over; with none, all: an attacker with that many addresses is
    /// not held by counting them.
    fn make_room(&mut self, now: i64) {
        self.table
            .retain(|_, failures| now - failures.since < MINUTE_MS);
        if self.table.len() >= self.capacity {
            self.table.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn address(n: u32) -> Source {
        IpAddr::from(n.to_be_bytes()).into()
    }

    #[test]
    fn an_address_that_failed_too_often_waits_for_the_next_minute() {
        let mut attempts = Attempts::new(10, 3);
        for _ in 0..3 {
            assert!(attempts.may_try(address(1), 0));
            attempts.failed(address(1), 0);
        }
        assert!(!attempts.may_try(address(1), 59_999));
        assert!(attempts.may_try(address(2), 0), "others are not held back");
        assert!(attempts.may_try(address(1), 60_000));
        attempts.failed(address(1), 60_000);
        assert!(attempts.may_try(address(1), 60_001));
    }

    #[test]
    fn the_table_never_grows_beyond_its_capacity() {
        let mut attempts = Attempts::new(100, 3);
        for n in 0..10_000 {
            attempts.failed(address(n), i64::from(n));
            assert!(attempts.table.len() <= 100);
        }
    }
}
