//! A NATS server of our own, with JetStream, on the loopback interface.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};

use super::child::{Ending, Launch, Server};
use super::data_folder::make_private;
use super::{leftover, programs};

pub(super) struct Nats {
    program: PathBuf,
    folder: PathBuf,
    address: Address,
}

/// Where clients find the server: known once it has started, and kept, since they
/// would never come back to another port.
#[derive(Clone)]
pub(super) struct Address {
    password: String,
    port: Arc<OnceLock<u16>>,
}

impl Address {
    pub(super) fn url(&self) -> Option<String> {
        let port = self.port.get()?;
        Some(format!("nats://hoshu:{}@127.0.0.1:{port}", self.password))
    }
}

impl Nats {
    pub(super) fn find(data_folder: &Path) -> Result<Self> {
        let program = match std::env::var_os("HOSHU_NATS_BIN") {
            Some(folder) => {
                let program = PathBuf::from(folder).join("nats-server");
                if !programs::is_executable(&program) {
                    bail!(
                        "HOSHU_NATS_BIN names a folder without nats-server: {}",
                        program.display()
                    );
                }
                program
            }
            None => {
                let others = ["/usr/local/bin", "/usr/sbin", "/usr/bin"].map(PathBuf::from);
                let folders = programs::folders_with("nats-server", others);
                let Some(folder) = folders.first() else {
                    bail!(
                        "nats-server is not installed: run `sudo apt-get install nats-server`, or set HOSHU_NATS_BIN to the folder that holds it, or HOSHU_NATS_URL to a server"
                    );
                };
                folder.join("nats-server")
            }
        };
        Ok(Self {
            program,
            folder: data_folder.join("nats"),
            address: Address {
                password: make_password()?,
                port: Arc::default(),
            },
        })
    }

    pub(super) fn address(&self) -> Address {
        self.address.clone()
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Written at every start: ours, and different each time by its password.
    /// `max_payload` is NATS's own default; JetStream takes up to three quarters of the disk.
    fn write_settings(&self) -> Result<()> {
        let path = self.folder.join("nats.conf");
        let settings = format!(
            "# Written by hoshu up at every start.\n\
             host: 127.0.0.1\n\
             server_name: hoshu\n\
             logtime: false\n\
             max_payload: 1MB\n\
             authorization {{ user: hoshu, password: \"{}\" }}\n\
             jetstream {{ store_dir: \".\" }}\n",
            self.address.password
        );
        // Made anew, never opened: so its mode is ours, whoever made the last one.
        remove_if_there(&path)?;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(settings.as_bytes())?;
        Ok(())
    }

    fn ports_folder(&self) -> PathBuf {
        self.folder.join("ports")
    }
}

impl Server for Nats {
    const NAME: &'static str = "nats-server";
    const END: Ending = Ending {
        signal: Signal::TERM,
        name: "TERM",
    };
    const ABORT: Signal = Signal::KILL;

    fn prepare(&mut self) -> Result<Launch> {
        make_private(&self.folder)?;
        leftover::wait_until_empty(Self::NAME, &self.folder, None, Self::END.signal)?;
        match fs::remove_dir_all(self.ports_folder()) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => make_private(&self.ports_folder())?,
        }
        self.write_settings()
            .with_context(|| format!("cannot write into {}", self.folder.display()))?;
        let port = self
            .address
            .port
            .get()
            .map_or_else(|| "-1".to_owned(), u16::to_string);
        Ok(Launch {
            folder: self.folder.clone(),
            cwd: self.folder.clone(),
            user: None,
            command: vec![
                self.program.clone().into(),
                "-c".into(),
                "nats.conf".into(),
                "-p".into(),
                port.into(),
                "--ports_file_dir".into(),
                "ports".into(),
            ],
        })
    }

    /// It writes its ports when it listens.
    fn is_ready(&mut self, pid: Pid) -> bool {
        let path = self.ports_folder().join(format!("nats-server_{pid}.ports"));
        let Some(port) = fs::read_to_string(path)
            .ok()
            .and_then(|text| port_of(&text))
        else {
            return false;
        };
        *self.address.port.get_or_init(|| port) == port
    }

    fn is_alarming(line: &str) -> bool {
        line.contains("[ERR]") || line.contains("[FTL]")
    }
}

/// The client port in `{"nats":["nats://127.0.0.1:41803"]}`.
fn port_of(ports: &str) -> Option<u16> {
    let (_, from_port) = ports.split_once("nats://127.0.0.1:")?;
    let digits = from_port.split(|c: char| !c.is_ascii_digit()).next()?;
    // Without the quote behind it the file is still being written.
    from_port[digits.len()..]
        .starts_with('"')
        .then(|| digits.parse().ok())?
}

/// Keeps other users of the machine out of the loopback port.
fn make_password() -> Result<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::port_of;

    #[test]
    fn the_port_is_read_only_when_it_is_written_to_its_end() {
        assert_eq!(
            port_of(r#"{"nats":["nats://127.0.0.1:41803"]}"#),
            Some(41803)
        );
        assert_eq!(port_of(r#"{"nats":["nats://127.0.0.1:418"#), None);
        assert_eq!(port_of(""), None);
    }
}
