//! The walk over one message: its cursor and its report.

use super::report::Report;
use crate::fault::{self, Fault};
use crate::json::{Cursor, Excerpt, Span, Syntax, excerpt};
use crate::path::Path;

pub(super) struct Judge<'a, 'r> {
    pub(super) cursor: Cursor<'a>,
    pub(super) report: &'r mut Report,
    pub(super) now_ms: i64,
}

/// A message may be dated so far ahead of the platform's clock (protocol page, section 6.1).
pub(super) const AHEAD_MS: i64 = 24 * 60 * 60 * 1000;

/// Checks a whole text by a walk over its one value.
pub(super) fn check<'a>(
    bytes: &'a [u8],
    now_ms: i64,
    report: &mut Report,
    walk: impl FnOnce(&mut Judge<'a, '_>) -> Result<(), Syntax>,
) {
    report.clear();
    let mut judge = Judge {
        cursor: Cursor::new(bytes),
        report,
        now_ms,
    };
    let walked = walk(&mut judge).and_then(|()| judge.cursor.finish());
    if let Err(syntax) = walked {
        report.clear();
        report.add(Fault {
            pointer: String::new(),
            code: fault::DATA_FORMAT,
            message: syntax.to_string(),
        });
    }
}

impl<'a> Judge<'a, '_> {
    #[cold]
    pub(super) fn refuse(&mut self, path: &Path<'_>, code: u32, say: impl FnOnce() -> String) {
        let fault = || Fault {
            pointer: path.pointer(),
            code,
            message: say(),
        };
        self.report.faults.push(fault, code);
    }

    pub(super) fn shown(&self, span: Span) -> Excerpt<'a> {
        excerpt(span.of(self.cursor.bytes()))
    }

    /// Passes a value that should have been an object or array; that is 6207.
    pub(super) fn malformed(&mut self, path: &Path<'_>, wanted: &str) -> Result<(), Syntax> {
        let span = self.cursor.skip()?;
        let shown = self.shown(span);
        self.refuse(path, fault::DATA_FORMAT, || {
            format!("{shown} is no {wanted}")
        });
        Ok(())
    }
}
