//! Event reports (protocol page, section 6.2).

use super::judge::{Judge, check};
use super::point::Point;
use super::report::{EventValue, Report};
use super::scalar::Passed;
use crate::fault;
use crate::json::{Span, Syntax};
use crate::model::{Members, Model};
use crate::path::Path;

impl Model {
    /// Judges the `params` of an event report, wrapped or bare; the outputs are in
    /// [`Report::events`].
    pub fn check_event_post(&self, event: &str, params: &[u8], now_ms: i64, out: &mut Report) {
        check(params, now_ms, out, |judge| {
            let path = Path::Root;
            let Some(index) = self.event_index(event) else {
                judge.cursor.skip()?;
                return judge.unknown_event(event, &path);
            };
            if judge.cursor.ahead() != Some(b'{') {
                return judge.malformed(&path, "object of outputs");
            }
            let outputs = &self.events()[index].outputs;
            let mark = judge.cursor.mark();
            let shape = judge.shape()?;
            let is_object = |at: usize| params.get(at) == Some(&b'{');
            let wrapped = shape.is_wrapped()
                && shape.value.is_some_and(is_object)
                && !shape.is_exactly(outputs);
            judge.cursor.back_to(mark);
            let point = if wrapped {
                judge.wrapped(&shape, &path, |judge, path| judge.outputs(outputs, path))?
            } else {
                Point {
                    passed: judge.outputs(outputs, &path)?,
                    time: None,
                }
            };
            let span = point.passed.span;
            judge.report.events.push(EventValue {
                event: index,
                span,
                time: point.time,
            });
            Ok(())
        });
    }
}

impl Judge<'_, '_> {
    /// To be called after the event's data was passed.
    pub(super) fn unknown_event(&mut self, event: &str, path: &Path<'_>) -> Result<(), Syntax> {
        let event = crate::json::excerpt(event.as_bytes());
        self.refuse(path, fault::METHOD_NOT_FOUND, || {
            format!("the event `{event}` is not in the model")
        });
        Ok(())
    }

    /// The outputs of an event.
    pub(super) fn outputs(&mut self, outputs: &Members, path: &Path<'_>) -> Result<Passed, Syntax> {
        let open = self.cursor.ahead();
        let start = self.cursor.pos();
        if open == Some(b'{') {
            self.parameters(outputs, path)?;
        } else {
            self.malformed(path, "object of outputs")?;
        }
        let span = Span {
            start,
            end: self.cursor.pos(),
        };
        Ok(Passed { span, whole: None })
    }
}
