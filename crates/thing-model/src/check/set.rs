//! Property sets and their replies (protocol page, section 6.4).

use super::judge::check;
use super::report::{PropertyValue, Report};
use crate::document::Access;
use crate::fault;
use crate::model::Model;
use crate::path::Path;

impl Model {
    /// Judges the `params` of a property set before it is sent: known, writable, fitting,
    /// and at least one.
    pub fn check_property_set(&self, params: &[u8], out: &mut Report) {
        check(params, 0, out, |judge| {
            let path = Path::Root;
            if judge.cursor.ahead() != Some(b'{') {
                return judge.malformed(&path, "object of properties");
            }
            let unknown = fault::PROPERTY_NOT_FOUND;
            let held = judge.members(
                &self.property_types,
                &path,
                unknown,
                |judge, property, element, path| {
                    if self.properties()[property].access == Access::Read {
                        judge.refuse(path, fault::INVALID_PARAMETER, || {
                            format!("`{}` is read-only", element.name)
                        });
                    }
                    let passed = judge.value(&element.data_type, path)?;
                    judge.report.values.push(PropertyValue {
                        property,
                        span: passed.span,
                        time: None,
                        whole: passed.whole,
                    });
                    Ok(())
                },
            )?;
            judge.properties_at_most(held.members, &path);
            if held.members == 0 {
                let say = || "there is no property to set".to_owned();
                judge.refuse(&path, fault::INVALID_PARAMETER, say);
            }
            Ok(())
        });
    }

    /// Judges the `data` of a device's reply to a property set: any object. What a device
    /// says in it changes no value; only a report does.
    pub fn check_set_reply(&self, data: &[u8], out: &mut Report) {
        check(data, 0, out, |judge| {
            if judge.cursor.ahead() != Some(b'{') {
                return judge.malformed(&Path::Root, "object");
            }
            judge.cursor.skip().map(|_| ())
        });
    }
}
