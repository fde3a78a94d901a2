//! What the .proto files say in words.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FileDescriptor};

/// Leading comments, by file and by the path of what they stand before.
pub(super) struct Comments(HashMap<(String, Vec<i32>), String>);

/// Path of a file's `package` line.
const PACKAGE: [i32; 1] = [2];

impl Comments {
    pub(super) fn read(pool: &DescriptorPool) -> Self {
        let mut comments = HashMap::new();
        for file in pool.files() {
            let info = file.file_descriptor_proto().source_code_info.as_ref();
            for location in info.into_iter().flat_map(|info| &info.location) {
                if let Some(text) = &location.leading_comments {
                    let lines: Vec<&str> = text.lines().map(str::trim).collect();
                    let text = lines.join(" ").trim().to_owned();
                    comments.insert((file.name().to_owned(), location.path.clone()), text);
                }
            }
        }
        Self(comments)
    }

    /// Empty when nothing is said.
    pub(super) fn of(&self, file: &FileDescriptor, path: &[i32]) -> &str {
        self.0
            .get(&(file.name().to_owned(), path.to_vec()))
            .map_or("", String::as_str)
    }

    pub(super) fn of_package(&self, file: &FileDescriptor) -> &str {
        self.of(file, &PACKAGE)
    }
}
