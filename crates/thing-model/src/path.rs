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
/// Bytes that nearly all pointers have room in.
const POINTER: usize = 32;

impl Path<'_> {
    pub(crate) fn pointer(&self) -> String {
        let mut pointer = String::with_capacity(POINTER);
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
                for part in shown.split_inclusive(['~', '/']) {
                    let plain = part.strip_suffix(['~', '/']).unwrap_or(part);
                    pointer.push_str(plain);
                    pointer.push_str(match &part[plain.len()..] {
                        "~" => "~0",
                        "/" => "~1",
                        other => other,
                    });
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
