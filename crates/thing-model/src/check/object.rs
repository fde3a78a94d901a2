//! Objects with known members: parameters, structs, whole reports.

use super::judge::Judge;
use super::seen::Seen;
use crate::fault;
use crate::json::Syntax;
use crate::model::{Element, Members};
use crate::path::Path;

/// What an object held.
pub(super) struct Held {
    pub(super) seen: Seen,
    /// All members, also unknown and repeated ones.
    pub(super) members: usize,
}

impl<'a> Judge<'a, '_> {
    /// Walks the object that comes now. `each` passes the value of a known member; an unknown
    /// one has the given code, a repeated one is 6207.
    pub(super) fn members<'m>(
        &mut self,
        table: &'m Members,
        path: &Path<'_>,
        unknown: u32,
        mut each: impl FnMut(&mut Self, usize, &'m Element, &Path<'_>) -> Result<(), Syntax>,
    ) -> Result<Held, Syntax> {
        let mut held = Held {
            seen: Seen::default(),
            members: 0,
        };
        let list = table.list();
        let mut expected = 0;
        let mut first = true;
        self.cursor.enter()?;
        while self.cursor.more(b'}', &mut first)? {
            held.members += 1;
            // Devices repeat the model's order, so the next name is mostly the expected one.
            let next = list
                .get(expected)
                .filter(|element| self.cursor.take_key(&element.key));
            let index = match next {
                Some(_) => expected,
                None => {
                    let text = self.cursor.key()?;
                    let name = self.cursor.unescaped(text);
                    match table.find(&name) {
                        Some(index) => index,
                        None => {
                            self.unknown(&mut held.seen, &Path::Key(path, &name), &name, unknown)?;
                            continue;
                        }
                    }
                }
            };
            expected = index + 1;
            let element = &list[index];
            let path = Path::Key(path, &element.name);
            if held.seen.first(index) {
                each(self, index, element, &path)?;
            } else {
                self.twice(&path)?;
            }
        }
        Ok(held)
    }

    fn unknown(
        &mut self,
        seen: &mut Seen,
        path: &Path<'_>,
        name: &str,
        code: u32,
    ) -> Result<(), Syntax> {
        if !seen.first_unknown(name) {
            return self.twice(path);
        }
        self.cursor.skip()?;
        self.refuse(path, code, || {
            let name = crate::json::excerpt(name.as_bytes());
            format!("`{name}` is not in the model")
        });
        Ok(())
    }

    pub(super) fn twice(&mut self, path: &Path<'_>) -> Result<(), Syntax> {
        self.cursor.skip()?;
        self.refuse(path, fault::DATA_FORMAT, || {
            "the member is there twice".to_owned()
        });
        Ok(())
    }

    /// The object of a service's or an event's parameters, which comes now.
    pub(super) fn parameters(&mut self, table: &Members, path: &Path<'_>) -> Result<(), Syntax> {
        let held = self.members(
            table,
            path,
            fault::MEMBER_NOT_FOUND,
            |judge, _, element, path| judge.value(&element.data_type, path).map(|_| ()),
        )?;
        for (index, element) in table.list().iter().enumerate() {
            if element.required && !held.seen.has(index) {
                let path = Path::Key(path, &element.name);
                self.refuse(&path, fault::PARAMETER_MISSING, || {
                    format!("`{}` is required and missing", element.name)
                });
            }
        }
        Ok(())
    }
}
