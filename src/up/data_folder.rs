//! The data folder of `hoshu up`: one process at a time, never older than what wrote it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock, statvfs};
use rustix::io::Errno;

/// Below this the first start cannot lay out a database, and a full disk is
/// better told before than found halfway.
const LEAST_FREE_BYTES: u64 = 128 << 20;

const LOCK: &str = "lock";

/// Held for as long as the platform runs on the folder.
#[derive(Debug)]
pub(super) struct DataFolder {
    pub(super) path: PathBuf,
    _lock: File,
}

impl DataFolder {
    pub(super) fn take(path: &Path) -> Result<Self> {
        make_private(path)?;
        let path = path
            .canonicalize()
            .with_context(|| format!("cannot open data folder {}", path.display()))?;
        let lock = lock(&path)?;
        check_version(&path, env!("CARGO_PKG_VERSION"))?;
        check_space(&path)?;
        Ok(Self { path, _lock: lock })
    }
}

/// Makes a folder that only its owner can enter, unless it is there already.
pub(super) fn make_private(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| match error.kind() {
            ErrorKind::StorageFull => full(path),
            _ => {
                anyhow::Error::new(error).context(format!("cannot make folder {}", path.display()))
            }
        })
}

/// What a user is told when there is no room left.
pub(super) fn full(path: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "the disk that holds {} is full: free some space, or set HOSHU_DATA_DIR to a folder on another disk",
        path.display()
    )
}

/// Whether a platform runs on the folder.
pub(super) fn is_taken(folder: &Path) -> bool {
    File::open(folder.join(LOCK))
        .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockShared).is_err())
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(LOCK);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            bail!(
                "another `hoshu up` (process {}) runs on data folder {}: stop it, or set HOSHU_DATA_DIR to another folder",
                holder.trim(),
                folder.display()
            );
        }
        Err(error) => return Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id()).map_err(|error| match error.kind() {
        ErrorKind::StorageFull => full(folder),
        _ => error.into(),
    })?;
    Ok(file)
}

/// A newer release may have migrated what this one would misread.
fn check_version(folder: &Path, ours: &str) -> Result<()> {
    let path = folder.join("version");
    let theirs = match fs::read_to_string(&path) {
        Ok(text) => text.trim().to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    if theirs == ours {
        return Ok(());
    }
    if !theirs.is_empty() {
        let Some(made_by) = parts(&theirs) else {
            bail!(
                "{} does not hold a version of hoshu but {theirs:?}: restore it from a backup",
                path.display()
            );
        };
        if Some(made_by) > parts(ours) {
            bail!(
                "data folder {} was made by hoshu {theirs}, this is {ours}: run hoshu {theirs} or newer, or set HOSHU_DATA_DIR to another folder",
                folder.display()
            );
        }
    }
    fs::write(&path, format!("{ours}\n"))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn parts(version: &str) -> Option<[u64; 3]> {
    let mut numbers = version.split('-').next()?.split('.').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some([next()?, next()?, next()?])
}

fn check_space(folder: &Path) -> Result<()> {
    let disk = statvfs(folder)
        .with_context(|| format!("cannot look at the disk of {}", folder.display()))?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) < LEAST_FREE_BYTES {
        return Err(full(folder));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_of(version: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("version"), version).unwrap();
        folder
    }

    #[test]
    fn a_folder_of_a_newer_release_is_refused() {
        for newer in ["99.0.0", "0.10.0", "0.9.10"] {
            let folder = folder_of(newer);
            let error = check_version(folder.path(), "0.9.9")
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(&format!("was made by hoshu {newer}, this is 0.9.9")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_folder_of_an_older_release_is_taken_over() {
        for older in ["0.9.8\n", "0.1.10", ""] {
            let folder = folder_of(older);
            check_version(folder.path(), "0.9.9").unwrap();
            assert_eq!(
                fs::read_to_string(folder.path().join("version")).unwrap(),
                "0.9.9\n"
            );
        }
    }

    #[test]
    fn a_folder_with_a_spoilt_version_is_left_alone() {
        let folder = folder_of("what?");
        assert!(check_version(folder.path(), "0.9.9").is_err());
        assert_eq!(
            fs::read_to_string(folder.path().join("version")).unwrap(),
            "what?"
        );
    }

    #[test]
    fn a_folder_is_taken_once_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let held = DataFolder::take(folder.path()).unwrap();
        let error = DataFolder::take(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains(&format!("(process {})", std::process::id())),
            "{error}"
        );
        assert!(is_taken(folder.path()));
        drop(held);
        assert!(!is_taken(folder.path()));
        DataFolder::take(folder.path()).unwrap();
    }
}
