//! The rooms of the house, each with the one word it is known by.

/// A role's noun: its public proto package, schema, and environment prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Noun {
    Gateway,
    Registry,
    Thing,
    DeviceLog,
    Ota,
    RemoteConfig,
    OnlineDebug,
    Api,
}

impl Noun {
    pub const ALL: [Noun; 8] = [
        Noun::Gateway,
        Noun::Registry,
        Noun::Thing,
        Noun::DeviceLog,
        Noun::Ota,
        Noun::RemoteConfig,
        Noun::OnlineDebug,
        Noun::Api,
    ];

    /// The word: name of its PostgreSQL schema and of its NATS subjects.
    pub const fn word(self) -> &'static str {
        match self {
            Noun::Gateway => "gateway",
            Noun::Registry => "registry",
            Noun::Thing => "thing",
            Noun::DeviceLog => "devicelog",
            Noun::Ota => "ota",
            Noun::RemoteConfig => "remoteconfig",
            Noun::OnlineDebug => "onlinedebug",
            Noun::Api => "api",
        }
    }

    /// Name of the role on the command line: `hoshu tsl-validation`.
    pub const fn role(self) -> &'static str {
        match self {
            Noun::Gateway => "gateway",
            Noun::Registry => "registry",
            Noun::Thing => "tsl-validation",
            Noun::DeviceLog => "device-log",
            Noun::Ota => "ota",
            Noun::RemoteConfig => "remote-config",
            Noun::OnlineDebug => "online-debug",
            Noun::Api => "api",
        }
    }
}
