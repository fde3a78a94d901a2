//! The way to a value, as stack frames, written out as a JSON pointer only for a fault.

use std::fmt::Write;

#[derive(Clone, Copy)]
pub(crate) enum Path<'p> {
    Root,
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

/// Bytes of a member's name that a pointer shows. Names in a model are shorter;
/// a hostile message's are not.
const NAME_SHOWN: usize = 128;

impl Path<'_> {
    pub(crate) fn pointer(&self) -> String {
        let mut pointer = String::new();
        self.write(&mut pointer);
        pointer
    }

    fn write(&self, pointer: &mut String) {
        match self {
            Path::Root => {}
            Path::Key(parent, name) => {
                parent.write(pointer);
                pointer.push('/');
                let shown = &name[..name.floor_char_boundary(NAME_SHOWN)];
                for letter in shown.chars() {
                    match letter {
                        '~' => pointer.push_str("~0"),
                        '/' => pointer.push_str("~1"),
                        other => pointer.push(other),
                    }
                }
                if shown.len() < name.len() {
                    pointer.push('…');
                }
            }
            Path::Index(parent, index) => {
                parent.write(pointer);
                let _ = write!(pointer, "/{index}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_escaped_and_bounded() {
        let outer = Path::Key(&Path::Root, "a/b~c");
        assert_eq!(Path::Index(&outer, 3).pointer(), "/a~1b~0c/3");
        let long = "é".repeat(200);
        assert!(Path::Key(&Path::Root, &long).pointer().len() < 140);
    }
}
