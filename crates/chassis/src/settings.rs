//! What a process can be told that is not one service's own.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context;
use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use figment::value::Value;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Noun, Secret};

/// Set by `HOSHU_<FIELD>`, or by the field's name at the top of the configuration file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// PostgreSQL. A lone role is given its own login; `hoshu up` without it starts a server of its own.
    pub database_url: Secret,
    /// Connections of one role's pool. More let more requests run at once and cost the server memory.
    pub database_connections: u32,
    /// What `hoshu database init` gives the services' logins; unset: a new one at each `hoshu up`.
    pub database_password: Secret,
    /// NATS with JetStream, 2.9 or newer; `hoshu up` without it starts a server of its own.
    pub nats_url: Secret,
    /// Put in front of every subject and stream, so that several houses can share one NATS.
    pub nats_prefix: String,
    /// Copies of every stream. 1 on a single server; 3 on a cluster, so that one server may be lost.
    pub stream_replicas: usize,
    /// Bytes that each stream may hold on disk. When one is full, senders are slowed down until it is read.
    pub stream_bytes: i64,
    /// Lanes that devices are spread over, each in order. More help several servers, and cost a little on one.
    /// Change it only when all streams are empty: a device's order holds within its lane.
    pub partitions: u16,
    /// What services show each other. Any text, the same for all.
    pub internal_token: Secret,
    /// Seals device and product secrets in the database: 64 hexadecimal digits.
    pub master_key: Secret,
    /// The administrator's token of the account `default` that `hoshu up` makes.
    pub admin_token: Secret,
    /// Where `hoshu up` keeps its data; unset for a lone role.
    pub data_dir: Option<PathBuf>,
    /// Base of the URLs that are handed to devices, as `https://devices.example.com`.
    pub public_device_url: Option<String>,
    /// Devices: MQTT over TCP.
    pub mqtt_addr: String,
    /// Devices: MQTT over TLS.
    pub mqtts_addr: String,
    /// PEM certificate chain of the TLS doors; with `tls_key_file`.
    pub tls_cert_file: Option<PathBuf>,
    /// PEM private key of the TLS doors.
    pub tls_key_file: Option<PathBuf>,
    /// People and programs: REST.
    pub api_addr: String,
    /// Programs: gRPC; of a lone role, where its peers reach it.
    pub grpc_addr: String,
    /// Operators: `/metrics`, `/livez`, `/readyz`.
    pub ops_addr: String,
    /// What is logged: `info`, `gateway=debug,info`, …
    pub log: String,
    /// `logfmt` or `json`.
    pub log_format: LogFormat,
    /// Where a lone role finds the others, as `http://registry:9090`.
    pub peer_gateway: Option<String>,
    pub peer_registry: Option<String>,
    pub peer_thing: Option<String>,
    pub peer_devicelog: Option<String>,
    pub peer_ota: Option<String>,
    pub peer_remoteconfig: Option<String>,
    pub peer_onlinedebug: Option<String>,
    pub peer_api: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Logfmt,
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            database_url: Secret::default(),
            database_password: Secret::default(),
            database_connections: 16,
            nats_url: Secret::default(),
            nats_prefix: "hoshu".into(),
            stream_replicas: 1,
            stream_bytes: 1 << 30,
            partitions: 4,
            internal_token: Secret::default(),
            master_key: Secret::default(),
            admin_token: Secret::default(),
            data_dir: None,
            public_device_url: None,
            mqtt_addr: "0.0.0.0:1883".into(),
            mqtts_addr: "0.0.0.0:8883".into(),
            tls_cert_file: None,
            tls_key_file: None,
            api_addr: "0.0.0.0:8080".into(),
            grpc_addr: "0.0.0.0:9090".into(),
            ops_addr: "0.0.0.0:9464".into(),
            log: "info,async_nats=warn".into(),
            log_format: LogFormat::default(),
            peer_gateway: None,
            peer_registry: None,
            peer_thing: None,
            peer_devicelog: None,
            peer_ota: None,
            peer_remoteconfig: None,
            peer_onlinedebug: None,
            peer_api: None,
        }
    }
}

impl Settings {
    /// Merges defaults, the files, the environment and options, in that order.
    ///
    /// # Errors
    /// Names the setting that cannot be read, and where it was set.
    pub fn load(files: &[PathBuf], options: &[(String, String)]) -> anyhow::Result<Self> {
        let names = Self::names();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let defaults = serde_json::to_value(Self::default())?;
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        for file in files {
            figment = figment.merge(common_part(file, &names)?);
        }
        let mut set = environment("HOSHU_", std::env::vars_os())?;
        set.retain(|(name, _)| names.contains(&name.as_str()));
        for (name, text) in set.into_iter().chain(options.iter().cloned()) {
            figment = figment.merge(Serialized::default(&name, typed(&defaults, &name, text)));
        }
        figment.extract().map_err(|error| told("HOSHU_", &error))
    }

    /// The name of every setting: `mqtt_addr` is set by `HOSHU_MQTT_ADDR` or `--mqtt-addr`.
    pub fn names() -> Vec<String> {
        let all = serde_json::to_value(Self::default()).unwrap_or_default();
        all.as_object()
            .into_iter()
            .flat_map(|fields| fields.keys().cloned())
            .collect()
    }

    /// The peer's address that was set for a lone role.
    pub fn peer(&self, noun: Noun) -> Option<&str> {
        let address = match noun {
            Noun::Gateway => &self.peer_gateway,
            Noun::Registry => &self.peer_registry,
            Noun::Thing => &self.peer_thing,
            Noun::DeviceLog => &self.peer_devicelog,
            Noun::Ota => &self.peer_ota,
            Noun::RemoteConfig => &self.peer_remoteconfig,
            Noun::OnlineDebug => &self.peer_onlinedebug,
            Noun::Api => &self.peer_api,
        };
        address.as_deref()
    }
}

/// A role's own configuration: defaults, its section of each file (`[registry]`), and `HOSHU_REGISTRY_…`.
///
/// # Errors
/// Names the setting that is unknown or cannot be read.
pub fn role_settings<C>(noun: Noun, files: &[PathBuf]) -> anyhow::Result<C>
where
    C: Default + Serialize + DeserializeOwned,
{
    let mut figment = Figment::from(Serialized::defaults(C::default()));
    for file in files {
        if let Ok(section) = Figment::from(Toml::file_exact(file)).find_value(noun.word()) {
            let section = section
                .into_dict()
                .with_context(|| format!("{}: {} is no section", file.display(), noun.word()))?;
            figment = figment.merge(Serialized::defaults(section));
        }
    }
    let defaults = serde_json::to_value(C::default())?;
    let prefix = format!("HOSHU_{}_", noun.word().to_uppercase());
    let common = Settings::names();
    let mut own = environment(&prefix, std::env::vars_os())?;
    // `HOSHU_API_ADDR` is a common setting, though it begins as the api's own do.
    own.retain(|(name, _)| !common.contains(&format!("{}_{name}", noun.word())));
    for (name, text) in own {
        anyhow::ensure!(
            defaults.get(&name).is_some(),
            "{prefix}{} is no setting of {}",
            name.to_uppercase(),
            noun.role()
        );
        figment = figment.merge(Serialized::default(&name, typed(&defaults, &name, text)));
    }
    figment.extract().map_err(|error| told(&prefix, &error))
}

/// The variables under a prefix, by their settings' names. What is not ours may be no text.
fn environment(
    prefix: &str,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> anyhow::Result<Vec<(String, String)>> {
    let ours = variables.filter_map(|(name, text)| {
        let name = name.to_str()?.strip_prefix(prefix)?.to_lowercase();
        Some((name, text))
    });
    ours.map(|(name, text)| {
        let text = text
            .into_string()
            .map_err(|_| anyhow::anyhow!("{prefix}{} is no text in UTF-8", name.to_uppercase()))?;
        Ok((name, text))
    })
    .collect()
}

/// Names the setting as it is set, and what it wants.
fn told(prefix: &str, error: &figment::Error) -> anyhow::Error {
    let name = error.path.join("_").to_uppercase();
    anyhow::anyhow!("{prefix}{name}: {}", error.kind)
}

/// A text as its setting wants it: a password of digits stays text, and is not damaged.
fn typed(defaults: &serde_json::Value, name: &str, text: String) -> Value {
    match &defaults[name] {
        serde_json::Value::Number(_) | serde_json::Value::Bool(_) => {
            text.parse().unwrap_or_else(|_| text.into())
        }
        _ => text.into(),
    }
}

/// A file's settings without the sections, which belong to roles.
fn common_part(file: &PathBuf, names: &[&str]) -> anyhow::Result<Figment> {
    let whole = Figment::from(Toml::file_exact(file));
    let members: figment::value::Dict = whole
        .extract()
        .with_context(|| format!("the configuration file {}", file.display()))?;
    let mut common = Figment::new();
    for (name, value) in members {
        if names.contains(&name.as_str()) {
            common = common.merge(Serialized::default(&name, value));
        } else {
            let is_section = Noun::ALL.iter().any(|noun| noun.word() == name);
            anyhow::ensure!(
                is_section,
                "{}: there is no setting or section {name}",
                file.display()
            );
        }
    }
    Ok(common)
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Config {
        attempts: u32,
        burst: u32,
    }

    fn file(text: &str) -> (tempfile::TempDir, Vec<PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hoshu.toml");
        std::fs::write(&path, text).unwrap();
        (folder, vec![path])
    }

    #[test]
    fn options_win_over_the_file_and_sections_belong_to_their_roles() {
        let (_folder, files) =
            file("partitions = 8\nmqtt_addr = \"127.0.0.1:1\"\n[registry]\nattempts = 7\n");
        let options = [
            ("mqtt_addr".to_owned(), "127.0.0.1:2".to_owned()),
            ("master_key".to_owned(), "07".to_owned()),
        ];
        let settings = Settings::load(&files, &options).unwrap();
        assert_eq!(
            (settings.partitions, settings.mqtt_addr.as_str()),
            (8, "127.0.0.1:2")
        );
        assert_eq!(settings.master_key.expose(), "07");
        let registry: Config = role_settings(Noun::Registry, &files).unwrap();
        assert_eq!(
            registry,
            Config {
                attempts: 7,
                burst: 0
            }
        );
        assert_eq!(
            role_settings::<Config>(Noun::Ota, &files).unwrap(),
            Config::default()
        );
    }

    #[test]
    fn a_wrong_value_is_told_by_the_settings_name() {
        let options = [("partitions".to_owned(), "abc".to_owned())];
        let error = Settings::load(&[], &options).unwrap_err().to_string();
        assert_eq!(
            error,
            "HOSHU_PARTITIONS: invalid type: found string \"abc\", expected u16"
        );
    }

    #[test]
    fn a_variable_that_is_no_text_matters_only_where_it_is_ours() {
        let no_text = || OsString::from_vec(vec![0xff]);
        let set = |name: &str, text| (OsString::from(name), text);
        let foreign = [
            (no_text(), no_text()),
            set("OTHER", no_text()),
            set("HOSHU_OTA_X", "1".into()),
        ];
        assert_eq!(
            environment("HOSHU_OTA_", foreign.into_iter()).unwrap(),
            [("x".to_owned(), "1".to_owned())]
        );
        let ours = [set("HOSHU_DATA_DIR", no_text())];
        let error = environment("HOSHU_", ours.into_iter()).unwrap_err();
        assert_eq!(error.to_string(), "HOSHU_DATA_DIR is no text in UTF-8");
    }

    #[test]
    fn an_unknown_setting_is_named() {
        let (_folder, files) = file("partitoins = 8\n");
        assert!(
            Settings::load(&files, &[])
                .unwrap_err()
                .to_string()
                .contains("partitoins")
        );
        let (_folder, files) = file("[registry]\natempts = 7\n");
        assert!(
            role_settings::<Config>(Noun::Registry, &files)
                .unwrap_err()
                .to_string()
                .contains("atempts")
        );
    }
}
