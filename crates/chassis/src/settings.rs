//! What a process can be told that is not one service's own.

use std::path::PathBuf;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
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
            log: "info".into(),
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
    /// Merges defaults, the file and the environment, in that order.
    ///
    /// # Errors
    /// Names the setting that cannot be read, and where it was set.
    pub fn load(file: Option<&PathBuf>) -> anyhow::Result<Self> {
        let names = field_names(&Self::default())?;
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            // Sections belong to roles.
            figment = figment.merge(Toml::file_exact(file).filter_top(&names));
        }
        Ok(figment
            .merge(Env::prefixed("HOSHU_").only(&names))
            .extract()?)
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

/// A role's own configuration: defaults, its section of the file (`[registry]`), and `HOSHU_REGISTRY_…`.
///
/// # Errors
/// Names the setting that is unknown or cannot be read.
pub fn role_settings<C>(noun: Noun, file: Option<&PathBuf>) -> anyhow::Result<C>
where
    C: Default + Serialize + DeserializeOwned,
{
    let mut figment = Figment::from(Serialized::defaults(C::default()));
    if let Some(file) = file {
        figment = figment.merge(Figment::from(Toml::file_exact(file).nested()).select(noun.word()));
    }
    let prefix = format!("HOSHU_{}_", noun.word().to_uppercase());
    Ok(figment.merge(Env::prefixed(&prefix)).extract()?)
}

fn field_names(settings: &Settings) -> anyhow::Result<Vec<String>> {
    let value = serde_json::to_value(settings)?;
    Ok(value
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.keys().cloned())
        .collect())
}

/// Leaves a file's sections to their roles.
trait FilterTop {
    fn filter_top(self, names: &[&str]) -> Figment;
}

impl<P: figment::Provider> FilterTop for P {
    fn filter_top(self, names: &[&str]) -> Figment {
        let all = Figment::from(self);
        names
            .iter()
            .fold(Figment::new(), |kept, name| match all.find_value(name) {
                Ok(value) => kept.merge(Serialized::default(name, value)),
                Err(_) => kept,
            })
    }
}
