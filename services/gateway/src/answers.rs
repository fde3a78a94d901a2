//! The outcomes of one batch of messages to devices, gathered from many sessions.
//!
//! Who sent the batch waits a limited time. A slow session leaves its item open, and holds up no other.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use proto::hoshu::bus::v1::{DownOutcome, down_outcome::Kind};
use tokio::sync::Notify;

#[derive(Debug)]
pub(crate) struct Answers {
    /// What is known of each item, and what is said when no more comes.
    outcomes: Mutex<Vec<DownOutcome>>,
    open: AtomicUsize,
    settled: Notify,
}

/// One item's place in the answer. Dropped unsettled, what is known stands.
#[derive(Debug)]
pub(crate) struct Ticket {
    answers: Option<Arc<Answers>>,
    index: usize,
}

impl Answers {
    /// Until a session has looked at an item it counts as slow.
    pub(crate) fn new(items: usize) -> Arc<Self> {
        let slow = DownOutcome {
            kind: Kind::Slow.into(),
            ..DownOutcome::default()
        };
        Arc::new(Self {
            outcomes: Mutex::new(vec![slow; items]),
            open: AtomicUsize::new(items),
            settled: Notify::new(),
        })
    }

    pub(crate) fn ticket(self: &Arc<Self>, index: usize) -> Ticket {
        Ticket {
            answers: Some(self.clone()),
            index,
        }
    }

    /// All outcomes, at the latest after `patience`.
    pub(crate) async fn wait(&self, patience: Duration) -> Vec<DownOutcome> {
        let all = async {
            while self.open.load(Ordering::Acquire) > 0 {
                self.settled.notified().await;
            }
        };
        // The time runs out for the asker, not for the messages.
        let _ = tokio::time::timeout(patience, all).await;
        self.outcomes.lock().expect("not poisoned").clone()
    }
}

impl Ticket {
    /// What is known so far; more may come.
    pub(crate) fn note(&self, outcome: DownOutcome) {
        if let Some(answers) = &self.answers {
            answers.outcomes.lock().expect("not poisoned")[self.index] = outcome;
        }
    }

    /// Changes only the kind of what is known, and ends it.
    pub(crate) fn settle_as(self, kind: Kind) {
        if let Some(answers) = &self.answers {
            answers.outcomes.lock().expect("not poisoned")[self.index].kind = kind.into();
        }
    }

    pub(crate) fn settle(self, outcome: DownOutcome) {
        self.note(outcome);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(answers) = self.answers.take() else {
            return;
        };
        if answers.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            answers.settled.notify_one();
        }
    }
}

pub(crate) fn outcome(kind: Kind) -> DownOutcome {
    DownOutcome {
        kind: kind.into(),
        ..DownOutcome::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_session_that_does_not_look_holds_up_only_itself() {
        let answers = Answers::new(3);
        let (first, second, third) = (answers.ticket(0), answers.ticket(1), answers.ticket(2));
        first.settle(outcome(Kind::Pubacked));
        second.note(outcome(Kind::Written));
        let outcomes = answers.wait(Duration::from_millis(20)).await;
        let kinds: Vec<Kind> = outcomes.iter().map(DownOutcome::kind).collect();
        assert_eq!(kinds, [Kind::Pubacked, Kind::Written, Kind::Slow]);
        drop((second, third));
        answers.wait(Duration::from_secs(3600)).await;
    }
}
