//! A PostgreSQL of our own, reached only by a socket in its folder: no port, no password.
//!
//! The folder is its user's alone (mode 0700), so who can open the socket is that
//! user or root. PostgreSQL refuses to be root; for root it becomes user `postgres`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, getuid};

use super::child::{Ending, Launch, OWN_FOLDER, Server};
use super::data_folder::{self, make_private};
use super::leftover::{self, Marked};
use super::programs;

/// Given as options, so that a new release of ours changes them for old data too.
/// For one machine shared with the rest of the platform; who has more brings an
/// own server by `HOSHU_DATABASE_URL`.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "cluster_name=hoshu",
    // Every role has a pool of its own.
    "max_connections=200",
    "shared_buffers=256MB",
    "effective_cache_size=1GB",
    "maintenance_work_mem=128MB",
    "random_page_cost=1.1",
    // Queries are short; compiling them costs more than it saves.
    "jit=off",
    // What is acknowledged is on the disk.
    "synchronous_commit=on",
    "wal_compression=on",
    // Log lines come as a steady stream: fewer, larger checkpoints.
    "max_wal_size=2GB",
    "checkpoint_timeout=15min",
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
    // Our log has the time; a line begins with its level.
    "log_line_prefix=",
    "log_checkpoints=off",
    "logging_collector=off",
    "log_destination=stderr",
];

/// The number in the socket's name.
const PORT: u16 = 5432;
const USER: &str = "postgres";

pub(super) struct Postgres {
    /// Where `postgres` and `initdb` are.
    programs: PathBuf,
    /// Holds `data` and the socket.
    folder: PathBuf,
    /// Whom to become; only root can.
    user: Option<String>,
}

/// The way to the server's socket, for this process and its user's others.
pub(super) struct Socket {
    folder: File,
}

impl Socket {
    /// By way of an open folder: a socket's path has room for 107 bytes only,
    /// and a data folder may lie deeper.
    pub(super) fn url(&self) -> String {
        format!(
            "postgres://{USER}@localhost:{PORT}/postgres?host=/proc/{}/fd/{}",
            std::process::id(),
            self.folder.as_raw_fd()
        )
    }
}

impl Postgres {
    pub(super) fn find(data_folder: &Path) -> Result<Self> {
        let folder = data_folder.join("postgres");
        let made_by = match fs::read_to_string(folder.join("data/PG_VERSION")) {
            Ok(text) => Some(text.trim().parse().with_context(|| {
                format!(
                    "{} does not hold a version of PostgreSQL but {text:?}",
                    folder.join("data/PG_VERSION").display()
                )
            })?),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", folder.display()));
            }
        };
        let installed = installed()?;
        let Some(programs) = choose(&installed, made_by) else {
            let wanted = made_by.map_or_else(String::new, |major| format!("-{major}"));
            let advice = format!(
                "run `sudo apt-get install postgresql{wanted}`, or set HOSHU_POSTGRES_BIN to the folder of its programs, or HOSHU_DATABASE_URL to a server"
            );
            match (made_by, installed.first()) {
                (Some(made_by), Some((newest, _))) => bail!(
                    "data folder {} was made by PostgreSQL {made_by}, here is PostgreSQL {newest}: {advice}",
                    data_folder.display()
                ),
                _ => bail!("PostgreSQL is not installed: {advice}"),
            }
        };
        let user = getuid().is_root().then(|| USER.to_owned());
        Ok(Self {
            programs,
            folder,
            user,
        })
    }

    /// Makes the folder and, at the first start, the database in it.
    pub(super) fn lay_out(self) -> Result<Self> {
        make_private(&self.folder)?;
        if let Some(user) = &self.user {
            let (uid, gid) = (id_of(user, "-u")?, id_of(user, "-g")?);
            chown(&self.folder, Some(uid), Some(gid))
                .with_context(|| format!("cannot give {} to user {user}", self.folder.display()))?;
        }
        if !self.data().join("PG_VERSION").exists() {
            self.init()?;
        }
        Ok(self)
    }

    pub(super) fn socket(&self) -> Result<Socket> {
        Ok(Socket {
            folder: File::open(&self.folder)?,
        })
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Made beside and renamed when whole: half a database is never taken for one.
    fn init(&self) -> Result<()> {
        let unfinished = self.folder.join("data.unfinished");
        leftover::remove(&unfinished)?;
        let launch = self.launch(
            "initdb",
            [
                "--pgdata",
                &format!("{OWN_FOLDER}/data.unfinished"),
                "--username",
                USER,
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--auth-local=trust",
                "--auth-host=reject",
                // A new piece of the log is filled with zeros before its first commit, and all commits wait:
                // 16 MB, the default, took 20 to 100 ms each second of a high load, until there are enough to use again.
                "--wal-segsize=1",
            ],
        );
        let mut child = launch
            .command("KILL")
            .spawn()
            .context("cannot start initdb")?;
        let mut said = String::new();
        if let Some(mut output) = child.stdout.take() {
            output.read_to_string(&mut said)?;
        }
        let status = child.wait()?;
        if !status.success() {
            if said.contains("No space left on device") {
                return Err(data_folder::full(&self.folder));
            }
            let why = said
                .lines()
                .rfind(|line| line.contains("error") || line.contains("FATAL"));
            bail!(
                "PostgreSQL cannot make a database in {}: {}",
                self.folder.display(),
                why.or(said.lines().last()).unwrap_or("initdb said nothing")
            );
        }
        fs::rename(&unfinished, self.data())?;
        Ok(())
    }

    fn launch<'a>(&self, program: &str, arguments: impl IntoIterator<Item = &'a str>) -> Launch {
        let mut command: Vec<OsString> = vec![self.programs.join(program).into()];
        command.extend(arguments.into_iter().map(OsString::from));
        Launch {
            folder: self.folder.clone(),
            cwd: "/".into(),
            user: self.user.clone(),
            command,
        }
    }

    /// The process that left its mark in the data, running or not.
    fn marked(&self) -> Result<Option<Pid>> {
        let text = match fs::read_to_string(self.data().join("postmaster.pid")) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(text
            .lines()
            .next()
            .and_then(|line| line.trim().parse().ok())
            .and_then(Pid::from_raw))
    }

    /// A killed server leaves files that name its process. PostgreSQL takes them for
    /// a running one as long as any process has that number, also a zombie that
    /// nobody reaps, as under a careless first process of a container. Where none
    /// has, the files stay: PostgreSQL looks by them for backends still at work.
    fn clear_marks_of_the_dead(&self, marked: Option<Pid>) -> Result<()> {
        if !marked.is_some_and(leftover::exists) {
            return Ok(());
        }
        for file in [
            self.data().join("postmaster.pid"),
            self.folder.join(format!(".s.PGSQL.{PORT}.lock")),
        ] {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", file.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Server for Postgres {
    const NAME: &'static str = "PostgreSQL";
    /// A fast shutdown: open transactions are rolled back, all is written out.
    const END: Ending = Ending {
        signal: Signal::INT,
        name: "INT",
    };
    /// An immediate shutdown: the next start replays the log.
    const ABORT: Signal = Signal::QUIT;

    fn prepare(&mut self) -> Result<Launch> {
        let marked = self.marked()?;
        let server = marked.map(|pid| Marked {
            pid,
            program: "postgres",
        });
        leftover::wait_until_empty(Self::NAME, &self.data(), server, Self::END.signal)?;
        self.clear_marks_of_the_dead(marked)?;
        let data = format!("{OWN_FOLDER}/data");
        let port = PORT.to_string();
        let mut arguments = vec!["-D", &data, "-k", OWN_FOLDER, "-p", &port];
        arguments.extend(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        Ok(self.launch("postgres", arguments))
    }

    /// `pg_ctl` looks the same way: line 8 of `postmaster.pid` is the state.
    fn is_ready(&mut self, pid: Pid) -> bool {
        let Ok(text) = fs::read_to_string(self.data().join("postmaster.pid")) else {
            return false;
        };
        let mut lines = text.lines();
        lines
            .next()
            .is_some_and(|line| line.trim() == pid.to_string())
            && lines.nth(6).is_some_and(|state| state.trim() == "ready")
    }

    fn is_alarming(line: &str) -> bool {
        line.starts_with("PANIC:") || line.starts_with("FATAL:")
    }
}

/// Every PostgreSQL of this machine, by its major version, newest first.
fn installed() -> Result<Vec<(u32, PathBuf)>> {
    let folders = match std::env::var_os("HOSHU_POSTGRES_BIN") {
        Some(folder) => {
            let folder = PathBuf::from(folder);
            if !programs::is_executable(&folder.join("postgres"))
                || !programs::is_executable(&folder.join("initdb"))
            {
                bail!(
                    "HOSHU_POSTGRES_BIN names a folder without postgres and initdb: {}",
                    folder.display()
                );
            }
            vec![folder]
        }
        None => {
            let versioned = fs::read_dir("/usr/lib/postgresql")
                .into_iter()
                .flatten()
                .filter_map(|entry| Some(entry.ok()?.path().join("bin")));
            let others = versioned.chain(["/usr/local/pgsql/bin".into()]);
            programs::folders_with("postgres", others)
        }
    };
    let mut found: Vec<(u32, PathBuf)> = folders
        .into_iter()
        .filter(|folder| programs::is_executable(&folder.join("initdb")))
        .filter_map(|folder| {
            let output = Command::new(folder.join("postgres"))
                .arg("--version")
                .output()
                .ok()?;
            Some((major_of(&String::from_utf8_lossy(&output.stdout))?, folder))
        })
        .collect();
    found.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    Ok(found)
}

/// The one that made the data, since no other can read it; the newest for new data.
fn choose(installed: &[(u32, PathBuf)], made_by: Option<u32>) -> Option<PathBuf> {
    installed
        .iter()
        .find(|(major, _)| made_by.is_none_or(|made_by| made_by == *major))
        .map(|(_, folder)| folder.clone())
}

/// 15 from `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, 18 from `… 18beta1`.
fn major_of(version: &str) -> Option<u32> {
    let (_, number) = version.split_once("(PostgreSQL) ")?;
    number
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

fn id_of(user: &str, which: &str) -> Result<u32> {
    let output = Command::new("id")
        .args([which, user])
        .output()
        .context("cannot run `id`")?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok().with_context(|| {
        format!("PostgreSQL refuses to run as root, and there is no user `{user}`: run `adduser --system --group {user}`, or run hoshu as another user")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_opened_by_the_postgresql_that_made_them() {
        let installed = [(17, PathBuf::from("17")), (15, PathBuf::from("15"))];
        assert_eq!(choose(&installed, None), Some("17".into()));
        assert_eq!(choose(&installed, Some(15)), Some("15".into()));
        assert_eq!(choose(&installed, Some(18)), None);
        assert_eq!(choose(&[], None), None);
    }

    #[test]
    fn the_major_version_is_read_from_every_makers_text() {
        assert_eq!(
            major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_of("something else"), None);
    }
}
