//! A value with its time: `{"value":…,"time":…}`, or the value alone.

use super::judge::{AHEAD_MS, Judge};
use super::scalar::{self, Passed, Verdict};
use crate::fault;
use crate::json::{Span, Syntax};
use crate::model::{Members, Type};
use crate::path::Path;

/// A value, and when it was so.
pub(super) struct Point {
    pub(super) passed: Passed,
    pub(super) time: Option<i64>,
}

/// What an object's own members are, seen by a first look.
pub(super) struct Shape {
    /// Where the values stand.
    pub(super) value: Option<usize>,
    pub(super) time: Option<usize>,
    value_twice: bool,
    time_twice: bool,
    others: bool,
    end: usize,
}

impl Shape {
    pub(super) fn is_wrapped(&self) -> bool {
        self.value.is_some() && !self.others
    }

    /// Whether the object has exactly these members.
    pub(super) fn is_exactly(&self, members: &Members) -> bool {
        let held = usize::from(self.value.is_some()) + usize::from(self.time.is_some());
        !self.others
            && members.list().len() == held
            && members.find("value").is_some() == self.value.is_some()
            && members.find("time").is_some() == self.time.is_some()
    }
}

impl Judge<'_, '_> {
    /// A reported value, in either form.
    pub(super) fn reported(&mut self, data_type: &Type, path: &Path<'_>) -> Result<Point, Syntax> {
        if self.cursor.ahead() != Some(b'{') {
            let passed = self.value(data_type, path)?;
            return Ok(Point { passed, time: None });
        }
        match data_type {
            Type::Struct(members) if members.is_like_point() => {}
            Type::Struct(members) if self.begins(members) => {
                let passed = self.value(data_type, path)?;
                return Ok(Point { passed, time: None });
            }
            _ => {
                if let Some(point) = self.usual(data_type, path)? {
                    return Ok(point);
                }
            }
        }
        let mark = self.cursor.mark();
        let shape = self.shape()?;
        let plain = match data_type {
            Type::Struct(members) => !shape.is_wrapped() || shape.is_exactly(members),
            _ => !shape.is_wrapped(),
        };
        self.cursor.back_to(mark);
        if plain {
            let passed = self.value(data_type, path)?;
            return Ok(Point { passed, time: None });
        }
        self.wrapped(&shape, path, |judge, path| judge.value(data_type, path))
    }

    /// Whether the object that comes now begins as the struct does.
    fn begins(&mut self, members: &Members) -> bool {
        let mark = self.cursor.mark();
        let first = members.list().first();
        let begins = self.cursor.enter().is_ok() && {
            self.cursor.space();
            first.is_some_and(|first| self.cursor.take_key(&first.key))
        };
        self.cursor.back_to(mark);
        begins
    }

    /// The wrapped form as nearly all devices write it, in one go; else nothing is passed.
    fn usual(&mut self, data_type: &Type, path: &Path<'_>) -> Result<Option<Point>, Syntax> {
        // What a struct or array has wrong is told at once, and taken back if this is another form.
        let scalar = data_type.is_scalar();
        if !scalar && self.report.total_faults() > 0 {
            return Ok(None);
        }
        let mark = self.cursor.mark();
        self.cursor.enter()?;
        self.cursor.space();
        let comes = self.cursor.take_key(b"\"value\":");
        if comes && !(scalar && matches!(self.cursor.ahead(), Some(b'{' | b'['))) {
            let value_path = Path::Key(path, "value");
            let verdict = match scalar {
                true => self.scalar(data_type)?,
                false => Verdict {
                    passed: self.value(data_type, &value_path)?,
                    wrong: None,
                },
            };
            if let Some(time) = self.rest_of_usual()? {
                let passed = self.tell(data_type, verdict, &value_path);
                let time = time.and_then(|time| self.tell_time(time, &Path::Key(path, "time")));
                return Ok(Some(Point { passed, time }));
            }
            if !scalar {
                self.report.faults.clear();
            }
        }
        self.cursor.back_to(mark);
        Ok(None)
    }

    /// Passes what follows a wrapped value, if it is the end, or the time and the end.
    #[inline(always)]
    fn rest_of_usual(&mut self) -> Result<Option<Option<Result<i64, Span>>>, Syntax> {
        let mut first = false;
        if !self.cursor.more(b'}', &mut first)? {
            return Ok(Some(None));
        }
        if self.cursor.take_key(b"\"time\":") {
            let time = self.time()?;
            if !self.cursor.more(b'}', &mut first)? {
                return Ok(Some(Some(time)));
            }
        }
        Ok(None)
    }

    /// Passes an object, for a first look.
    pub(super) fn shape(&mut self) -> Result<Shape, Syntax> {
        let mut shape = Shape {
            value: None,
            time: None,
            value_twice: false,
            time_twice: false,
            others: false,
            end: 0,
        };
        let mut first = true;
        self.cursor.enter()?;
        while self.cursor.more(b'}', &mut first)? {
            let text = self.cursor.key()?;
            let name = self.cursor.unescaped(text);
            let start = self.cursor.skip()?.start;
            match name.as_ref() {
                "value" => shape.value_twice |= shape.value.replace(start).is_some(),
                "time" => shape.time_twice |= shape.time.replace(start).is_some(),
                _ => shape.others = true,
            }
        }
        shape.end = self.cursor.pos();
        Ok(shape)
    }

    /// Goes through a wrapped object, which comes now and was looked at.
    /// Of a member that is there twice the last is judged.
    pub(super) fn wrapped(
        &mut self,
        shape: &Shape,
        path: &Path<'_>,
        value: impl FnOnce(&mut Self, &Path<'_>) -> Result<Passed, Syntax>,
    ) -> Result<Point, Syntax> {
        let value_path = Path::Key(path, "value");
        let time_path = Path::Key(path, "time");
        for (twice, path) in [
            (shape.value_twice, &value_path),
            (shape.time_twice, &time_path),
        ] {
            if twice {
                let say = || "the member is there twice".to_owned();
                self.refuse(path, fault::DATA_FORMAT, say);
            }
        }
        let outside = self.cursor.mark();
        self.cursor.enter()?;
        let at_value = shape.value.unwrap_or(shape.end);
        let mut time = None;
        if let Some(at) = shape.time.filter(|at| *at < at_value) {
            time = self.time_at(at, &time_path)?;
        }
        self.cursor.jump(at_value);
        let passed = value(self, &value_path)?;
        if let Some(at) = shape.time.filter(|at| *at > at_value) {
            time = self.time_at(at, &time_path)?;
        }
        self.cursor.back_to(outside);
        self.cursor.jump(shape.end);
        Ok(Point { passed, time })
    }

    fn time_at(&mut self, at: usize, path: &Path<'_>) -> Result<Option<i64>, Syntax> {
        self.cursor.jump(at);
        let time = self.time()?;
        Ok(self.tell_time(time, path))
    }

    /// Passes a time: a number or digits as text, not too far ahead.
    fn time(&mut self) -> Result<Result<i64, Span>, Syntax> {
        let (span, time) = match self.cursor.ahead() {
            Some(b'-' | b'0'..=b'9') => {
                let number = self.cursor.number()?;
                (number.span, number.whole())
            }
            Some(b'"') => {
                let start = self.cursor.pos();
                let text = self.cursor.string()?;
                let span = Span {
                    start,
                    end: self.cursor.pos(),
                };
                (span, scalar::date(&self.cursor.unescaped(text)))
            }
            _ => (self.cursor.skip()?, None),
        };
        let last = self.now_ms.saturating_add(AHEAD_MS);
        Ok(time.filter(|time| (0..=last).contains(time)).ok_or(span))
    }

    fn tell_time(&mut self, time: Result<i64, Span>, path: &Path<'_>) -> Option<i64> {
        if let Err(span) = time {
            let shown = self.shown(span);
            let last = self.now_ms.saturating_add(AHEAD_MS);
            self.refuse(path, fault::INVALID_PARAMETER, || {
                format!("{shown} is no UTC time in milliseconds up to {last} (24 hours ahead)")
            });
        }
        time.ok()
    }
}
