//! NATS before 2.10, once it could not write a stream, takes nothing for it until it is started anew. So that all
//! comes back by itself when there is room again, it is.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::child::Restart;

const GLANCE: Duration = Duration::from_secs(1);
/// Bytes of room below which a write may have failed: a message has up to 1 MiB.
const FULL: u64 = 4 << 20;
/// Bytes of room that are worth beginning again for.
const ROOM: u64 = 32 << 20;

/// Watches the disk of `folder` for as long as the server is wanted.
pub(super) fn watch(folder: PathBuf, restart: Restart) -> std::io::Result<()> {
    thread::Builder::new()
        .name("up full disk".into())
        .spawn(move || {
            let mut was_full = false;
            while restart.is_wanted() {
                thread::sleep(GLANCE);
                // A folder that cannot be asked tells nothing; its server will.
                let Some(room) = room(&folder) else { continue };
                if was_full && room >= ROOM {
                    tracing::warn!(
                        server = restart.name(),
                        "there is room on its disk again: it is ended, to begin anew"
                    );
                    restart.now();
                }
                was_full = room < FULL || (was_full && room < ROOM);
            }
        })?;
    Ok(())
}

/// Bytes that its user may still write.
fn room(folder: &PathBuf) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}
