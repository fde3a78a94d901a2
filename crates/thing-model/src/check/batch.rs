//! Many values and events at once (protocol page, section 6.3): each with its time.

use super::judge::{Judge, check};
use super::point::Point;
use super::report::{EventValue, PropertyValue, Report};
use super::scalar::Passed;
use super::seen::Seen;
use crate::fault;
use crate::json::Syntax;
use crate::model::Model;
use crate::path::Path;

/// Events in one report, at most.
const EVENTS: usize = 20;

impl Model {
    /// Judges the `params` of a batch report. Every value and event of it is a
    /// `{"value":…,"time":…}`; members other than `properties` and `events` are ignored.
    pub fn check_batch_post(&self, params: &[u8], now_ms: i64, out: &mut Report) {
        check(params, now_ms, out, |judge| {
            judge.batch(&Path::Root, |judge, part, path| match part {
                Part::Properties => judge.properties(self, path, Judge::points),
                Part::Events => judge.events(self, path, Judge::points),
                Part::Other => judge.cursor.skip().map(|_| ()),
            })
        });
    }
}

pub(super) enum Part {
    Properties,
    Events,
    Other,
}

impl Judge<'_, '_> {
    /// Walks an object of parts, each once.
    pub(super) fn batch(
        &mut self,
        path: &Path<'_>,
        mut each: impl FnMut(&mut Self, Part, &Path<'_>) -> Result<(), Syntax>,
    ) -> Result<(), Syntax> {
        if self.cursor.ahead() != Some(b'{') {
            return self.malformed(path, "object");
        }
        let mut seen = Seen::default();
        let mut first = true;
        self.cursor.enter()?;
        while self.cursor.more(b'}', &mut first)? {
            let text = self.cursor.key()?;
            let name = self.cursor.unescaped(text);
            let path = Path::Key(path, &name);
            if !seen.first_unknown(&name) {
                self.twice(&path)?;
                continue;
            }
            let part = match name.as_ref() {
                "properties" => Part::Properties,
                "events" => Part::Events,
                _ => Part::Other,
            };
            each(self, part, &path)?;
        }
        Ok(())
    }

    /// An object of properties; `values` passes what stands under a name, calling back for
    /// every value in it.
    pub(super) fn properties(
        &mut self,
        model: &Model,
        path: &Path<'_>,
        values: fn(&mut Self, &Path<'_>, Each<'_, Self>) -> Result<(), Syntax>,
    ) -> Result<(), Syntax> {
        if self.cursor.ahead() != Some(b'{') {
            return self.malformed(path, "object of properties");
        }
        let unknown = fault::PROPERTY_NOT_FOUND;
        let held = self.members(
            &model.property_types,
            path,
            unknown,
            |judge, property, element, path| {
                values(judge, path, &mut |judge, path| {
                    let Point { passed, time } =
                        judge.dated(path, |judge, path| judge.value(&element.data_type, path))?;
                    let Passed { span, whole } = passed;
                    judge.report.values.push(PropertyValue {
                        property,
                        span,
                        time,
                        whole,
                    });
                    Ok(())
                })
            },
        )?;
        self.properties_at_most(held.members, path);
        Ok(())
    }

    /// An object of events, as [`Judge::properties`].
    pub(super) fn events(
        &mut self,
        model: &Model,
        path: &Path<'_>,
        values: fn(&mut Self, &Path<'_>, Each<'_, Self>) -> Result<(), Syntax>,
    ) -> Result<(), Syntax> {
        if self.cursor.ahead() != Some(b'{') {
            return self.malformed(path, "object of events");
        }
        let mut count = 0;
        let mut seen = Seen::default();
        let mut first = true;
        self.cursor.enter()?;
        while self.cursor.more(b'}', &mut first)? {
            count += 1;
            let text = self.cursor.key()?;
            let name = self.cursor.unescaped(text);
            let path = Path::Key(path, &name);
            if !seen.first_unknown(&name) {
                self.twice(&path)?;
                continue;
            }
            let Some(event) = model.event_index(&name) else {
                self.cursor.skip()?;
                self.unknown_event(&name, &path)?;
                continue;
            };
            let outputs = &model.events()[event].outputs;
            values(self, &path, &mut |judge, path| {
                let point = judge.dated(path, |judge, path| judge.outputs(outputs, path))?;
                let span = point.passed.span;
                judge.report.events.push(EventValue {
                    event,
                    span,
                    time: point.time,
                });
                Ok(())
            })?;
        }
        if count > EVENTS {
            self.refuse(path, fault::TOO_MANY_EVENTS, || {
                format!("{count} events are more than {EVENTS}")
            });
        }
        Ok(())
    }

    /// An array of values.
    fn points(&mut self, path: &Path<'_>, each: Each<'_, Self>) -> Result<(), Syntax> {
        if self.cursor.ahead() != Some(b'[') {
            return self.malformed(path, "array of values with their times");
        }
        let mut index = 0;
        let mut first = true;
        self.cursor.enter()?;
        while self.cursor.more(b']', &mut first)? {
            each(self, &Path::Index(path, index))?;
            index += 1;
        }
        Ok(())
    }

    /// A `{"value":…,"time":…}`, the time optional.
    pub(super) fn dated(
        &mut self,
        path: &Path<'_>,
        value: impl FnOnce(&mut Self, &Path<'_>) -> Result<Passed, Syntax>,
    ) -> Result<Point, Syntax> {
        let mark = self.cursor.mark();
        if self.cursor.ahead() == Some(b'{') {
            let mark = self.cursor.mark();
            let shape = self.shape()?;
            if shape.is_wrapped() {
                self.cursor.back_to(mark);
                return self.wrapped(&shape, path, value);
            }
        }
        self.cursor.back_to(mark);
        let span = self.cursor.skip()?;
        let shown = self.shown(span);
        self.refuse(path, fault::DATA_FORMAT, || {
            format!("{shown} is no object of `value` and `time`")
        });
        Ok(Point {
            passed: Passed { span, whole: None },
            time: None,
        })
    }
}

/// Called for each value that stands under a name.
pub(super) type Each<'e, J> = &'e mut dyn FnMut(&mut J, &Path<'_>) -> Result<(), Syntax>;
