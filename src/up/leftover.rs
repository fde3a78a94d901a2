//! Servers that outlived a killed `hoshu up` by a moment.
//!
//! Whoever holds the data folder's lock is the only one who may start servers in
//! it, so a process that still works there is an orphan on its way out.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// An orphan ends within 250 ms; one that writes out a large cache takes longer.
const PATIENCE: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(20);

/// Waits until nobody works in `folder`, asking who does to end. `marked` is the
/// process that a file in the folder names as its server.
pub(super) fn wait_until_empty(
    name: &str,
    folder: &Path,
    marked: Option<Marked>,
    end: Signal,
) -> Result<()> {
    let begun = Instant::now();
    let mut asked = Vec::new();
    loop {
        let mut workers = workers(folder);
        workers.extend(marked.and_then(Marked::hidden_at_work));
        let Some(first) = workers.first() else {
            return Ok(());
        };
        if begun.elapsed() > PATIENCE {
            bail!(
                "{name} of an earlier run (process {first}) still works in {}: end it by `kill {first}`",
                folder.display()
            );
        }
        for worker in workers {
            if !asked.contains(&worker) {
                asked.push(worker);
                // It may just have gone, which is what is wanted.
                let _ = kill_process(worker, end);
            }
        }
        thread::sleep(GLANCE);
    }
}

/// A process that a file names, and the program that it should be.
#[derive(Clone, Copy)]
pub(super) struct Marked {
    pub(super) pid: Pid,
    pub(super) program: &'static str,
}

impl Marked {
    /// Another user's current folder is hidden from a root without CAP_SYS_PTRACE
    /// (as in most containers): then name and state must do. A zombie, which stays
    /// where nobody reaps, is not at work.
    fn hidden_at_work(self) -> Option<Pid> {
        let Self { pid, program } = self;
        if fs::metadata(format!("/proc/{pid}/cwd")).is_ok() {
            return None;
        }
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in brackets may hold anything, also brackets and spaces.
        let (_, state) = stat.rsplit_once(") ")?;
        (name.trim() == program && !state.starts_with(['Z', 'X'])).then_some(pid)
    }
}

/// Removes a folder into which a process that lost its parent may still write for a moment.
pub(super) fn remove(folder: &Path) -> Result<()> {
    let begun = Instant::now();
    loop {
        match fs::remove_dir_all(folder) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error)
                if error.kind() == ErrorKind::DirectoryNotEmpty && begun.elapsed() < PATIENCE =>
            {
                thread::sleep(GLANCE);
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot remove {}", folder.display()));
            }
        }
    }
}

/// Whether any process has this number, be it a zombie.
pub(super) fn exists(pid: Pid) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// Processes whose current folder this is. A zombie has none.
fn workers(folder: &Path) -> Vec<Pid> {
    let Ok(wanted) = fs::metadata(folder) else {
        return Vec::new();
    };
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .filter(|pid| {
            fs::metadata(format!("/proc/{pid}/cwd"))
                .is_ok_and(|cwd| (cwd.dev(), cwd.ino()) == (wanted.dev(), wanted.ino()))
        })
        .collect()
}
