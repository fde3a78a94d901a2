//! Refusals at the door: the first of a reason is told at once, those that follow in the same
//! second are told together, with a count.

/// Why a PUBLISH is not carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Refused {
    Rate,
    AccountRate,
    Topic,
    TopicTooLong,
    Payload,
}

impl Refused {
    pub(crate) const ALL: [Self; 5] = [
        Self::Rate,
        Self::AccountRate,
        Self::Topic,
        Self::TopicTooLong,
        Self::Payload,
    ];

    /// As metrics spell it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rate => "device_rate",
            Self::AccountRate => "account_rate",
            Self::Topic => "topic",
            Self::TopicTooLong => "topic_too_long",
            Self::Payload => "payload",
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Window {
    second: i64,
    followed: u32,
    /// Position of the window's first line on the log lane.
    line: u64,
}

/// What to do with one refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    /// The first: write its line.
    Now,
    /// Counted into the line that closes this second; the first line stands at this position.
    Joined(u64),
}

/// The refusals of one session; nothing until the first.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    windows: Option<Box<[Option<Window>; Refused::ALL.len()]>>,
}

impl Refusals {
    /// Asked first; after `Telling::Now` comes [`Self::told`].
    pub(crate) fn on(&mut self, why: Refused, now_ms: i64) -> Telling {
        let second = now_ms.div_euclid(1000);
        match self
            .windows
            .as_mut()
            .and_then(|windows| windows[why as usize].as_mut())
        {
            Some(window) if window.second == second => {
                window.followed += 1;
                Telling::Joined(window.line)
            }
            _ => Telling::Now,
        }
    }

    /// The first line of this second was written at `line`.
    pub(crate) fn told(&mut self, why: Refused, now_ms: i64, line: u64) {
        let windows = self.windows.get_or_insert_default();
        windows[why as usize] = Some(Window {
            second: now_ms.div_euclid(1000),
            followed: 0,
            line,
        });
    }

    /// Windows that are over (all, when the session ends), each with the count of those that followed.
    pub(crate) fn close(&mut self, now_ms: Option<i64>) -> Vec<(Refused, u32)> {
        let Some(windows) = &mut self.windows else {
            return Vec::new();
        };
        let mut closed = Vec::new();
        for why in Refused::ALL {
            let slot = &mut windows[why as usize];
            let over =
                |window: &Window| now_ms.is_none_or(|now| window.second < now.div_euclid(1000));
            if let Some(window) = slot.take_if(|window| over(window))
                && window.followed > 0
            {
                closed.push((why, window.followed));
            }
        }
        if windows.iter().all(Option::is_none) {
            self.windows = None;
        }
        closed
    }

    /// Whether something waits to be told.
    pub(crate) fn is_open(&self) -> bool {
        self.windows.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_following_of_that_second_are_joined() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.on(Refused::Rate, 1_000), Telling::Now);
        refusals.told(Refused::Rate, 1_000, 7);
        assert_eq!(refusals.on(Refused::Rate, 1_500), Telling::Joined(7));
        assert_eq!(refusals.on(Refused::Rate, 1_999), Telling::Joined(7));
        assert_eq!(
            refusals.on(Refused::Topic, 1_999),
            Telling::Now,
            "each reason for itself"
        );
        refusals.told(Refused::Topic, 1_999, 8);
        assert_eq!(refusals.close(Some(1_999)), []);
        assert_eq!(refusals.close(Some(2_000)), [(Refused::Rate, 2)]);
        assert!(!refusals.is_open());
    }

    #[test]
    fn a_session_that_ends_tells_what_it_counted() {
        let mut refusals = Refusals::default();
        refusals.told(Refused::Payload, 5_000, 1);
        refusals.on(Refused::Payload, 5_001);
        assert_eq!(refusals.close(None), [(Refused::Payload, 1)]);
    }
}
