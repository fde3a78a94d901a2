//! Property reports (protocol page, section 6.1).

use super::judge::{Judge, check};
use super::report::{PropertyValue, Report};
use crate::fault;
use crate::json::Syntax;
use crate::model::Model;
use crate::path::Path;

/// Properties in one report, at most.
pub(super) const PROPERTIES: usize = 200;

impl Model {
    /// Judges the `params` of a property report; the values are in [`Report::values`].
    pub fn check_property_post(&self, params: &[u8], now_ms: i64, out: &mut Report) {
        check(params, now_ms, out, |judge| {
            let path = Path::Root;
            if judge.cursor.ahead() != Some(b'{') {
                return judge.malformed(&path, "object of properties");
            }
            let count = judge.post(self, &path)?;
            judge.properties_at_most(count, &path);
            Ok(())
        });
    }
}

impl Judge<'_, '_> {
    /// The object of properties that comes now; says how many members it has.
    pub(super) fn post(&mut self, model: &Model, path: &Path<'_>) -> Result<usize, Syntax> {
        let unknown = fault::PROPERTY_NOT_FOUND;
        let held = self.members(
            &model.property_types,
            path,
            unknown,
            |judge, index, element, path| {
                let point = judge.reported(&element.data_type, path)?;
                judge.report.values.push(PropertyValue {
                    property: index,
                    span: point.passed.span,
                    time: point.time,
                    whole: point.passed.whole,
                });
                Ok(())
            },
        )?;
        Ok(held.members)
    }

    pub(super) fn properties_at_most(&mut self, count: usize, path: &Path<'_>) {
        if count > PROPERTIES {
            self.refuse(path, fault::TOO_MANY_PROPERTIES, || {
                format!("{count} properties are more than {PROPERTIES}")
            });
        }
    }
}
