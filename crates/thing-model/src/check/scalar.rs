//! Values by their data type.

use super::judge::Judge;
use super::wrong::Wrong;
use crate::fault;
use crate::json::{Number, Span, Syntax};
use crate::model::Type;
use crate::path::Path;

/// The last millisecond of the year 9999: a date beyond is a mistake of units.
pub(super) const LAST_MS: i64 = 253_402_300_799_999;

/// A value that was passed.
pub(super) struct Passed {
    pub(super) span: Span,
    /// As in [`crate::PropertyValue`].
    pub(super) whole: Option<i32>,
}

/// A value that is neither struct nor array, passed and judged; told by [`Judge::tell`].
pub(super) struct Verdict {
    pub(super) passed: Passed,
    pub(super) wrong: Option<Wrong>,
}

impl Judge<'_, '_> {
    /// Passes and judges the value that comes now.
    pub(super) fn value(&mut self, data_type: &Type, path: &Path<'_>) -> Result<Passed, Syntax> {
        match data_type {
            Type::Struct(members) => {
                let span = self.structure(members, path)?;
                Ok(Passed { span, whole: None })
            }
            Type::Array { size, item } => {
                let span = self.array(*size, item, path)?;
                Ok(Passed { span, whole: None })
            }
            scalar => {
                let verdict = self.scalar(scalar)?;
                Ok(self.tell(scalar, verdict, path))
            }
        }
    }

    #[inline(always)]
    pub(super) fn tell(&mut self, data_type: &Type, verdict: Verdict, path: &Path<'_>) -> Passed {
        if let Some(wrong) = verdict.wrong {
            self.wrong(data_type, wrong, verdict.passed.span, path);
        }
        verdict.passed
    }

    #[cold]
    fn wrong(&mut self, data_type: &Type, wrong: Wrong, span: Span, path: &Path<'_>) {
        let shown = self.shown(span);
        self.refuse(path, data_type.code(), || wrong.say(data_type, &shown));
    }

    /// Put into its callers, as [`crate::json::Cursor::number`] is.
    #[inline(always)]
    pub(super) fn scalar(&mut self, data_type: &Type) -> Result<Verdict, Syntax> {
        match (self.cursor.ahead(), data_type) {
            (_, Type::Unusable(_)) => {
                let span = self.cursor.skip()?;
                Ok(Verdict {
                    passed: Passed { span, whole: None },
                    wrong: Some(Wrong::Model),
                })
            }
            (Some(b'-' | b'0'..=b'9'), _) => {
                let number = self.cursor.number()?;
                let wrong = data_type.number(&number).err();
                let integer = matches!(data_type, Type::Int { .. } | Type::Bool | Type::Enum(_));
                let whole = if integer && !number.plain && wrong.is_none() {
                    number.whole().and_then(|whole| i32::try_from(whole).ok())
                } else {
                    None
                };
                Ok(Verdict {
                    passed: Passed {
                        span: number.span,
                        whole,
                    },
                    wrong,
                })
            }
            (Some(b'"'), _) => {
                let start = self.cursor.pos();
                let text = self.cursor.string()?;
                let span = Span {
                    start,
                    end: self.cursor.pos(),
                };
                let wrong = match data_type {
                    Type::Text { length } if text.length <= *length => None,
                    Type::Text { .. } => Some(Wrong::Long(text.length)),
                    Type::Date if date(&self.cursor.unescaped(text)).is_some() => None,
                    Type::Date => Some(Wrong::Limit),
                    _ => Some(Wrong::Kind),
                };
                Ok(Verdict {
                    passed: Passed { span, whole: None },
                    wrong,
                })
            }
            _ => {
                let span = self.cursor.skip()?;
                Ok(Verdict {
                    passed: Passed { span, whole: None },
                    wrong: Some(Wrong::Kind),
                })
            }
        }
    }

    fn structure(
        &mut self,
        members: &crate::model::Members,
        path: &Path<'_>,
    ) -> Result<Span, Syntax> {
        if self.cursor.ahead() != Some(b'{') {
            let span = self.cursor.skip()?;
            let shown = self.shown(span);
            self.refuse(path, fault::NOT_STRUCT, || format!("{shown} is no object"));
            return Ok(span);
        }
        let start = self.cursor.pos();
        let held = self.members(
            members,
            path,
            fault::MEMBER_NOT_FOUND,
            |judge, _, element, path| judge.value(&element.data_type, path).map(|_| ()),
        )?;
        let list = members.list();
        let missing = || {
            list.iter()
                .enumerate()
                .filter(|(index, _)| !held.seen.has(*index))
        };
        if missing().next().is_some() {
            self.refuse(path, fault::NOT_STRUCT, || {
                let names: Vec<&str> = missing()
                    .map(|(_, element)| element.name.as_str())
                    .collect();
                format!(
                    "of {} members these are missing: {}",
                    list.len(),
                    names.join(", ")
                )
            });
        }
        Ok(Span {
            start,
            end: self.cursor.pos(),
        })
    }

    fn array(&mut self, size: usize, item: &Type, path: &Path<'_>) -> Result<Span, Syntax> {
        if self.cursor.ahead() != Some(b'[') {
            let span = self.cursor.skip()?;
            let shown = self.shown(span);
            self.refuse(path, fault::NOT_ARRAY, || format!("{shown} is no array"));
            return Ok(span);
        }
        let start = self.cursor.pos();
        let mut count = 0;
        let mut first = true;
        self.cursor.enter()?;
        while self.cursor.more(b']', &mut first)? {
            self.element(item, &Path::Index(path, count))?;
            count += 1;
        }
        if count > size {
            self.refuse(path, fault::WRONG_ELEMENT, || {
                format!("{count} elements are more than {size}")
            });
        }
        Ok(Span {
            start,
            end: self.cursor.pos(),
        })
    }

    /// An element's own fault is 6324, whatever its type; a member of a struct has its own code.
    fn element(&mut self, item: &Type, path: &Path<'_>) -> Result<(), Syntax> {
        match item {
            Type::Struct(members) if self.cursor.ahead() == Some(b'{') => {
                self.structure(members, path).map(|_| ())
            }
            Type::Struct(_) => {
                let span = self.cursor.skip()?;
                let shown = self.shown(span);
                self.refuse(path, fault::WRONG_ELEMENT, || {
                    format!("{shown} is no object")
                });
                Ok(())
            }
            scalar => {
                let verdict = self.scalar(scalar)?;
                if let Some(wrong) = verdict.wrong {
                    let shown = self.shown(verdict.passed.span);
                    self.refuse(path, fault::WRONG_ELEMENT, || wrong.say(scalar, &shown));
                }
                Ok(())
            }
        }
    }
}

impl Type {
    #[inline(always)]
    fn number(&self, number: &Number) -> Result<(), Wrong> {
        let within = |good: bool| if good { Ok(()) } else { Err(Wrong::Limit) };
        match self {
            Type::Int { min, max } => match number.whole() {
                Some(whole) => within((i64::from(*min)..=i64::from(*max)).contains(&whole)),
                None if number.value.fract() != 0.0 => Err(Wrong::Fraction),
                None => Err(Wrong::Limit),
            },
            Type::Float { min, max } => {
                let single = (number.value as f32).is_finite();
                within(single && in_bounds(number.value, *min, *max))
            }
            Type::Double { min, max } => {
                within(number.value.is_finite() && in_bounds(number.value, *min, *max))
            }
            Type::Bool => within(matches!(number.whole(), Some(0 | 1))),
            Type::Enum(values) => {
                let whole = number.whole().and_then(|whole| i32::try_from(whole).ok());
                within(whole.is_some_and(|whole| values.binary_search(&whole).is_ok()))
            }
            _ => Err(Wrong::Kind),
        }
    }
}

#[inline]
fn in_bounds(value: f64, min: f64, max: f64) -> bool {
    (min..=max).contains(&value)
}

/// UTC milliseconds in digits.
pub(super) fn date(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let time = if digits {
        text.parse().ok()?
    } else {
        return None;
    };
    (0..=LAST_MS).contains(&time).then_some(time)
}
