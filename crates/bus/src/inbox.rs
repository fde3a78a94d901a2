//! Every durable consumer of the house. Each is declared before any door opens:
//! a message that came before its consumer existed would vanish.

use std::marker::PhantomData;
use std::time::Duration;

use proto::hoshu::bus::v1::{Event, LogBatch, UpBatch};

use crate::streams::Stream;

/// A durable consumer; the pods of its role share it.
pub struct Inbox<B> {
    pub(crate) spec: Spec,
    carries: PhantomData<fn(B)>,
}

/// What NATS is told of it.
#[derive(Clone, Copy)]
pub(crate) struct Spec {
    pub(crate) stream: Stream,
    pub(crate) name: &'static str,
    pub(crate) filter: &'static str,
    /// Least time between two groups, unless the first was full: what comes meanwhile shares a transaction.
    pub(crate) pace: Duration,
    /// Whether a batch that somebody waits for begins a group at once.
    pub(crate) hurries: bool,
    /// Groups handled at once: more than one where their order says nothing.
    pub(crate) at_once: usize,
}

impl<B> Inbox<B> {
    const fn new(stream: Stream, name: &'static str, filter: &'static str, pace_ms: u64) -> Self {
        Self {
            spec: Spec {
                stream,
                name,
                filter,
                pace: Duration::from_millis(pace_ms),
                hurries: false,
                at_once: 1,
            },
            carries: PhantomData,
        }
    }

    const fn hurries(mut self) -> Self {
        self.spec.hurries = true;
        self
    }

    const fn at_once(mut self, groups: usize) -> Self {
        self.spec.at_once = groups;
        self
    }
}

/// Thing-model messages from devices, to tsl-validation. Devices wait for the answer; people for a device's. What
/// they change is the same in any order, as it must be with several pods: one group's work is done while another
/// waits for its commit.
pub const THING_UP: Inbox<UpBatch> = Inbox::new(Stream::Up, "thing", "up.thing.*", 4)
    .hurries()
    .at_once(2);
/// Log lines, to device-log. No device waits for it, and people do not see 20 ms. Each line has its own time and
/// place: one group is read while another is written.
pub const DEVICELOG: Inbox<LogBatch> = Inbox::new(Stream::Log, "devicelog", "log.*", 20).at_once(2);
/// Changes, to the api's audit trail. They are told some at a time, and people do not see 100 ms.
pub const API_AUDIT: Inbox<Event> = Inbox::new(Stream::Event, "api-audit", "event.>", 100);

pub(crate) const ALL: [Spec; 3] = [THING_UP.spec, DEVICELOG.spec, API_AUDIT.spec];
