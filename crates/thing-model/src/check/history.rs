//! Late reports of a device or of many (protocol page, section 6.3): an array whose elements
//! each name their device. They never change a latest value.

use std::ops::Range;
use std::sync::Arc;

use super::batch::{Each, Part};
use super::judge::{Judge, check};
use super::report::Report;
use crate::fault::{self, Fault};
use crate::json::{self, Cursor, Json, Syntax};
use crate::model::Model;
use crate::path::Path;

/// The device that an element is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub product_key: String,
    pub device_name: String,
}

/// One element of a history report.
#[derive(Clone, Debug)]
pub struct HistoryElement {
    pub identity: Identity,
    /// Judged it; the indices of its values are this model's.
    pub model: Arc<Model>,
    /// Its part of [`Report::values`].
    pub values: Range<usize>,
    /// Its part of [`Report::events`].
    pub events: Range<usize>,
}

/// Judges the `params` of a history report; the elements are in [`Report::elements`].
/// `model_of` says which model a device has, or the code and words of its refusal.
pub fn check_history_post(
    params: &[u8],
    now_ms: i64,
    mut model_of: impl FnMut(&Identity) -> Result<Arc<Model>, (u32, String)>,
    out: &mut Report,
) {
    check(params, now_ms, out, |judge| {
        if judge.cursor.ahead() != Some(b'[') {
            return judge.malformed(&Path::Root, "array of reports");
        }
        let mut index = 0;
        let mut first = true;
        judge.cursor.enter()?;
        while judge.cursor.more(b']', &mut first)? {
            judge.element_of_history(&Path::Index(&Path::Root, index), &mut model_of)?;
            index += 1;
        }
        Ok(())
    });
}

impl Judge<'_, '_> {
    fn element_of_history(
        &mut self,
        path: &Path<'_>,
        model_of: &mut impl FnMut(&Identity) -> Result<Arc<Model>, (u32, String)>,
    ) -> Result<(), Syntax> {
        if self.cursor.ahead() != Some(b'{') {
            return self.malformed(path, "object of a report");
        }
        // The identity may stand last, and the values cannot be judged without it.
        let mark = self.cursor.mark();
        let span = self.cursor.skip()?;
        let identity = identity(span.of(self.cursor.bytes()));
        let identity_path = Path::Key(path, "identity");
        let Some(identity) = identity else {
            self.refuse(&identity_path, fault::DATA_FORMAT, || {
                "an identity is an object of texts, productKey and deviceName".to_owned()
            });
            return Ok(());
        };
        let model = match model_of(&identity) {
            Ok(model) => model,
            Err((code, message)) => {
                let pointer = identity_path.pointer();
                self.report.add(Fault {
                    pointer,
                    code,
                    message,
                });
                return Ok(());
            }
        };
        let (values, events) = (self.report.values.len(), self.report.events.len());
        self.cursor.back_to(mark);
        self.batch(path, |judge, part, path| match part {
            Part::Properties => judge.each_object(path, |judge, path| {
                judge.properties(&model, path, Judge::one)
            }),
            Part::Events => {
                judge.each_object(path, |judge, path| judge.events(&model, path, Judge::one))
            }
            Part::Other => judge.cursor.skip().map(|_| ()),
        })?;
        self.report.elements.push(HistoryElement {
            identity,
            model,
            values: values..self.report.values.len(),
            events: events..self.report.events.len(),
        });
        Ok(())
    }

    fn each_object(
        &mut self,
        path: &Path<'_>,
        mut object: impl FnMut(&mut Self, &Path<'_>) -> Result<(), Syntax>,
    ) -> Result<(), Syntax> {
        if self.cursor.ahead() != Some(b'[') {
            return self.malformed(path, "array");
        }
        let mut index = 0;
        let mut first = true;
        self.cursor.enter()?;
        while self.cursor.more(b']', &mut first)? {
            object(self, &Path::Index(path, index))?;
            index += 1;
        }
        Ok(())
    }

    /// The one value under a name.
    fn one(&mut self, path: &Path<'_>, each: Each<'_, Self>) -> Result<(), Syntax> {
        each(self, path)
    }
}

/// The identity that an element, which is an object, names.
fn identity(element: &[u8]) -> Option<Identity> {
    let mut cursor = Cursor::new(element);
    let mut found = None;
    let mut first = true;
    cursor.enter().ok()?;
    while cursor.more(b'}', &mut first).ok()? {
        let text = cursor.key().ok()?;
        let name = cursor.unescaped(text);
        let span = cursor.skip().ok()?;
        if name == "identity" {
            found = Some(span);
        }
    }
    let identity = json::parse(found?.of(element)).ok()?;
    let text = |name| identity.get(name).and_then(Json::text).map(str::to_owned);
    Some(Identity {
        product_key: text("productKey")?,
        device_name: text("deviceName")?,
    })
}
