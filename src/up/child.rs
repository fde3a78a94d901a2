//! A server that runs as a child of `hoshu up`: started, watched, started again, ended.
//!
//! Each child has a thread of its own that starts it and waits for it. That thread
//! must live as long as the child: the kernel's parent-death signal, which ends the
//! child when `hoshu` is killed, fires when the *thread* that started it ends.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::data_folder;

/// Opens the folder as file 3, gives up root, asks for the parent-death signal
/// (after giving up root, which would clear it), sees that the parent is not
/// gone already, and becomes the server.
///
/// The server reaches its folder by `/proc/self/fd/3`: the way to it may lead
/// through a home that its user cannot enter.
const LAUNCH: &str = r#"
folder=$1 parent=$2 death=$3 user=$4
shift 4
exec 3<"$folder" 2>&1 || exit
if [ -n "$user" ]; then
    drop="--reuid $user --regid $(id -g "$user") --init-groups"
fi
exec setpriv --pdeathsig "$death" ${drop-} -- sh -c '[ "$PPID" = "$0" ] && exec "$@"' "$parent" "$@"
"#;

/// The folder of a server, as the server itself sees it.
pub(super) const OWN_FOLDER: &str = "/proc/self/fd/3";

const GLANCE: Duration = Duration::from_millis(10);
/// A server that replays its log says nothing for a while; its owner is told.
const LONG_START: Duration = Duration::from_secs(10);
/// Between two starts of a server that does not stay up.
const FIRST_REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(5);
/// A server that ran this long is started again at once when it dies.
const SETTLED: Duration = Duration::from_secs(5);
/// For an end that waits for nobody.
const LAST_GRACE: Duration = Duration::from_secs(1);
const KEPT_LINES: usize = 4;
const FULL_DISK_EVERY: Duration = Duration::from_secs(60);

/// What to start, as whom.
pub(super) struct Launch {
    /// The server's folder, absolute; file 3 of the server.
    pub(super) folder: PathBuf,
    /// Where the server begins; it cannot be `folder` for a user who cannot walk there.
    pub(super) cwd: PathBuf,
    /// Given only to root: whom to become.
    pub(super) user: Option<String>,
    pub(super) command: Vec<OsString>,
}

impl Launch {
    /// `death` is sent to the child when the thread that starts it ends.
    pub(super) fn command(&self, death: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", LAUNCH, "sh"])
            .arg(&self.folder)
            .arg(std::process::id().to_string())
            .arg(death)
            .arg(self.user.as_deref().unwrap_or_default())
            .args(&self.command)
            .current_dir(&self.cwd)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C in a terminal is for hoshu, which ends its children in order.
            .process_group(0);
        command
    }
}

/// What differs between the servers.
pub(super) trait Server: Send + 'static {
    const NAME: &'static str;
    /// Asks for a clean end; also sent by the kernel when hoshu has been killed.
    const END: Ending;
    /// Makes an end without waiting for anyone; what is stored stays sound.
    const ABORT: Signal;

    /// Clears away what a dead one left behind; called before every start.
    fn prepare(&mut self) -> Result<Launch>;
    fn is_ready(&mut self, pid: Pid) -> bool;
    /// Whether a line of its log is for the owner's eyes.
    fn is_alarming(line: &str) -> bool;
}

/// A signal, and its name as `setpriv` knows it.
pub(super) struct Ending {
    pub(super) signal: Signal,
    pub(super) name: &'static str,
}

/// A running server; dropping it does not end it, the end of the process does.
pub(super) struct Supervised {
    shared: Arc<Shared>,
    end: Signal,
    abort: Signal,
    name: &'static str,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The child that may be signalled: set and cleared under the lock, and
    /// cleared before it is reaped, so that no stranger with its number is hit.
    pid: Option<Pid>,
    phase: Phase,
    stopping: bool,
    last_lines: VecDeque<String>,
}

#[derive(Default)]
enum Phase {
    #[default]
    Starting,
    Ready,
    Failed(anyhow::Error),
    Ended,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }
}

impl Supervised {
    /// Comes back when the server is ready, or with the line that says why it is not.
    pub(super) fn start<S: Server>(server: S) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        thread::Builder::new()
            .name(format!("up {}", S::NAME))
            .spawn({
                let shared = Arc::clone(&shared);
                move || supervise(server, &shared)
            })?;
        let mut state = shared
            .changed
            .wait_while(shared.state(), |state| {
                matches!(state.phase, Phase::Starting)
            })
            .unwrap_or_else(PoisonError::into_inner);
        if let Phase::Failed(error) = std::mem::replace(&mut state.phase, Phase::Ready) {
            return Err(error);
        }
        drop(state);
        Ok(Self {
            shared,
            end: S::END.signal,
            abort: S::ABORT,
            name: S::NAME,
        })
    }

    /// Asks the server to end; what follows is [`Self::wait`].
    pub(super) fn ask_to_end(&self) {
        self.shared.change(|state| {
            state.stopping = true;
            signal(state, self.end);
        });
    }

    /// Waits for the end; after `limit` it is cut short, and in the worst case left
    /// to the kernel, which ends it together with this process.
    pub(super) fn wait(self, limit: Duration) {
        for (limit, cut) in [
            (limit, self.abort),
            (LAST_GRACE, Signal::KILL),
            (LAST_GRACE, Signal::KILL),
        ] {
            let (state, late) = self
                .shared
                .changed
                .wait_timeout_while(self.shared.state(), limit, |state| {
                    !matches!(state.phase, Phase::Ended)
                })
                .unwrap_or_else(PoisonError::into_inner);
            if !late.timed_out() {
                return;
            }
            tracing::warn!(
                server = self.name,
                ?limit,
                "did not end in time and is cut short"
            );
            signal(&state, cut);
        }
    }

    pub(super) fn restart(&self) -> Restart {
        Restart {
            shared: self.shared.clone(),
            end: self.end,
            name: self.name,
        }
    }

    #[cfg(test)]
    pub(super) fn pid(&self) -> Option<Pid> {
        self.shared.state().pid
    }
}

/// Has a server begin anew.
pub(super) struct Restart {
    shared: Arc<Shared>,
    end: Signal,
    name: &'static str,
}

impl Restart {
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Nothing begins any more once the house stops.
    pub(super) fn is_wanted(&self) -> bool {
        !self.shared.state().stopping
    }

    /// Ends it; it is started again as one that died.
    pub(super) fn now(&self) {
        signal(&self.shared.state(), self.end);
    }
}

fn signal(state: &State, signal: Signal) {
    if let Some(pid) = state.pid {
        // Only "no such process" can go wrong: it has ended by itself.
        let _ = kill_process(pid, signal);
    }
}

fn supervise<S: Server>(mut server: S, shared: &Arc<Shared>) {
    let mut rest = FIRST_REST;
    loop {
        let begun = Instant::now();
        let outcome = run_once(&mut server, shared);
        let state = shared.state();
        if state.stopping {
            break;
        }
        let error = outcome
            .err()
            .unwrap_or_else(|| anyhow!("{} ended", S::NAME));
        if matches!(state.phase, Phase::Starting) {
            drop(state);
            shared.change(|state| state.phase = Phase::Failed(error));
            return;
        }
        tracing::error!(
            server = S::NAME,
            error = format!("{error:#}"),
            "a server ended and is started again"
        );
        if begun.elapsed() > SETTLED {
            rest = FIRST_REST;
        }
        let (state, _) = shared
            .changed
            .wait_timeout_while(state, rest, |state| !state.stopping)
            .unwrap_or_else(PoisonError::into_inner);
        if state.stopping {
            break;
        }
        rest = (rest * 2).min(LONGEST_REST);
    }
    shared.change(|state| state.phase = Phase::Ended);
}

/// From start to end of one process; an error says why it ended.
fn run_once<S: Server>(server: &mut S, shared: &Arc<Shared>) -> Result<()> {
    let launch = server.prepare()?;
    let mut child = launch
        .command(S::END.name)
        .spawn()
        .with_context(|| format!("cannot start {}", S::NAME))?;
    let pid = Pid::from_child(&child);
    shared.change(|state| {
        state.pid = Some(pid);
        state.last_lines.clear();
        if state.stopping {
            signal(state, S::END.signal);
        }
    });
    let reader = child
        .stdout
        .take()
        .map(|output| forward::<S>(output, Arc::clone(shared), launch.folder.clone()));

    wait_until_ready(server, shared, pid)?;
    let status = reap(&mut child, shared, pid)?;
    if shared.state().stopping {
        return Ok(());
    }
    // What it said last explains its end, but a grandchild may hold the pipe open.
    if let Some(reader) = reader {
        let begun = Instant::now();
        while !reader.is_finished() && begun.elapsed() < FIRST_REST {
            thread::sleep(GLANCE);
        }
    }
    Err(explain::<S>(status, &launch, &shared.state().last_lines))
}

fn wait_until_ready<S: Server>(server: &mut S, shared: &Shared, pid: Pid) -> Result<()> {
    let begun = Instant::now();
    let mut told = LONG_START;
    loop {
        if server.is_ready(pid) {
            shared.change(|state| state.phase = Phase::Ready);
            return Ok(());
        }
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        if waitid(WaitId::Pid(pid), options)?.is_some() {
            return Ok(());
        }
        if begun.elapsed() > told {
            tracing::info!(
                server = S::NAME,
                seconds = begun.elapsed().as_secs(),
                "still starting; after a crash it first replays its log"
            );
            told *= 2;
        }
        thread::sleep(GLANCE);
    }
}

fn reap(child: &mut Child, shared: &Shared, pid: Pid) -> Result<ExitStatus> {
    while let Err(error) = waitid(
        WaitId::Pid(pid),
        WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
    ) {
        if error != rustix::io::Errno::INTR {
            return Err(error.into());
        }
    }
    let mut state = shared.state();
    state.pid = None;
    Ok(child.wait()?)
}

fn explain<S: Server>(
    status: ExitStatus,
    launch: &Launch,
    lines: &VecDeque<String>,
) -> anyhow::Error {
    if lines.iter().any(|line| tells_full_disk(line)) {
        return data_folder::full(&launch.folder);
    }
    let said: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    anyhow!("{} ended ({status}): {}", S::NAME, said.join(" / "))
}

fn tells_full_disk(line: &str) -> bool {
    line.to_ascii_lowercase()
        .contains("no space left on device")
}

/// Takes the server's log into ours, until its last process has closed it.
fn forward<S: Server>(output: ChildStdout, shared: Arc<Shared>, folder: PathBuf) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut full_disk_told: Option<Instant> = None;
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        // A line without an end is cut, not gathered for ever.
        while matches!(
            output.by_ref().take(16 << 10).read_until(b'\n', &mut line),
            Ok(1..)
        ) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            if tells_full_disk(&text)
                && full_disk_told.is_none_or(|told| told.elapsed() > FULL_DISK_EVERY)
            {
                full_disk_told = Some(Instant::now());
                tracing::error!(server = S::NAME, "{}", data_folder::full(&folder));
            }
            let stopping = {
                let mut state = shared.state();
                if state.last_lines.len() == KEPT_LINES {
                    state.last_lines.pop_front();
                }
                state.last_lines.push_back(text.clone());
                state.stopping
            };
            if S::is_alarming(&text) && !stopping {
                tracing::warn!(server = S::NAME, "{text}");
            } else {
                tracing::debug!(server = S::NAME, "{text}");
            }
        }
    })
}
