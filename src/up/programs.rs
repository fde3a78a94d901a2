//! Finds the programs that `hoshu up` starts.

use std::env;
use std::path::{Path, PathBuf};

/// Folders that hold an executable file of this name: those of `PATH` first, then
/// `others`, where Debian and the makers' own packages put what is not for `PATH`.
pub(super) fn folders_with(
    program: &str,
    others: impl IntoIterator<Item = PathBuf>,
) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in env::split_paths(&path).chain(others) {
        if folder.is_absolute() && is_executable(&folder.join(program)) && !found.contains(&folder)
        {
            found.push(folder);
        }
    }
    found
}

pub(super) fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
