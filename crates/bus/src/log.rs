//! Log lines, built from the protocol's own texts: nobody fills in numbers by hand.

use alink::log::{Content, LogKind, Reason, Status};
use proto::hoshu::bus::v1::LogLine;
use proto::hoshu::bus::v1::log_line::Kind;

/// Who writes lines of one message, told apart: the store takes each emitter's lines of a message once.
pub mod part {
    /// Who consumes a message, or sends a command; a line of an id of its own.
    pub const MESSAGE: u32 = 0;
    /// The door, of a message that it refused or that nobody consumes.
    pub const DOOR: u32 = 1;
    /// The end of a synchronous call.
    pub const FINISHED: u32 = 2;
    /// The door, when a message that was kept goes out.
    pub const KEPT: u32 = 3;
    /// Who consumes a message that the door refused, and logged itself.
    pub const REFUSED: u32 = 4;

    /// An answer to a command, by the answer's own id: a device may answer more than once.
    pub fn answer(answer_id: uuid::Uuid) -> u32 {
        (1 << 30) | (answer_id.as_u128() as u32 & ((1 << 30) - 1))
    }
}

/// A line of success, to be made a failure by [`Line::because`]. `time` is UTC milliseconds.
pub fn line(time: i64, content: &Content<'_>) -> LogLine {
    LogLine {
        kind: match content.kind() {
            LogKind::Activity => Kind::Activity,
            LogKind::Upstream => Kind::Upstream,
            LogKind::Downstream => Kind::Downstream,
            LogKind::Tsl => Kind::Tsl,
        }
        .into(),
        time,
        content: u32::from(content.number()),
        content_args: content
            .values()
            .into_iter()
            .map(|value| value.into_owned())
            .collect(),
        ..LogLine::default()
    }
}

/// What can be said further of a line.
pub trait Line: Sized {
    /// Gives the reason; whether that is a failure is the reason's own.
    #[must_use]
    fn because(self, reason: &Reason<'_>) -> Self;
    /// A code of `docs/codes.md`; any but 200 is a failure.
    #[must_use]
    fn with_code(self, code: u32) -> Self;
    /// A JSON object.
    #[must_use]
    fn with_detail(self, detail: impl Into<String>) -> Self;
}

impl Line for LogLine {
    fn because(mut self, reason: &Reason<'_>) -> Self {
        self.failed |= reason.status() == Status::Failure;
        self.reason = u32::from(reason.number());
        self.reason_args = reason
            .values()
            .into_iter()
            .map(|value| value.into_owned())
            .collect();
        self
    }

    fn with_code(mut self, code: u32) -> Self {
        self.failed |= code != 200;
        self.code = code;
        self
    }

    fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }
}
