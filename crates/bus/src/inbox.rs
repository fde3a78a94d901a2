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
}

impl<B> Inbox<B> {
    const fn new(stream: Stream, name: &'static str, filter: &'static str, pace_ms: u64) -> Self {
        Self {
            spec: Spec {
                stream,
                name,
                filter,
                pace: Duration::from_millis(pace_ms),
            },
            carries: PhantomData,
        }
    }
}

/// Thing-model messages from devices, to tsl-validation. Devices wait for the answer.
pub const THING_UP: Inbox<UpBatch> = Inbox::new(Stream::Up, "thing", "up.thing.*", 4);
/// Log lines, to device-log. No device waits for it, and people do not see 40 ms.
pub const DEVICELOG: Inbox<LogBatch> = Inbox::new(Stream::Log, "devicelog", "log.*", 40);
/// Changes, to the api's audit trail.
pub const API_AUDIT: Inbox<Event> = Inbox::new(Stream::Event, "api-audit", "event.>", 0);

pub(crate) const ALL: [Spec; 3] = [THING_UP.spec, DEVICELOG.spec, API_AUDIT.spec];
