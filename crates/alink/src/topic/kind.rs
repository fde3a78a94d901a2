//! The table of topics: what each is, which way it goes, who handles it.

/// What a reply's topic adds to its request's.
pub(super) const REPLY: &str = "_reply";

/// Which way a topic carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Device to platform.
    Up,
    /// Platform to device.
    Down,
    Both,
}

impl Direction {
    pub fn goes_up(self) -> bool {
        self != Self::Down
    }

    pub fn goes_down(self) -> bool {
        self != Self::Up
    }

    fn back(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
            Self::Both => Self::Both,
        }
    }
}

/// Who handles a message that comes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capability {
    /// Thing model: reports, answers to sets and calls, raw data, desired values, tags, the model itself.
    Thing,
    Ota,
    RemoteConfig,
    /// Topology, sub-devices and their sessions.
    Registry,
    /// Topics that the user defines, and broadcasts.
    Custom,
    /// The device's own log and diagnosis.
    Log,
    /// Time; answered at the door.
    Ntp,
    Shadow,
    /// Where a registering device is told its secret; nothing comes up.
    Registration,
    /// Accepted and logged, handled by nobody.
    OutOfScope,
}

impl Capability {
    /// In the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Thing,
        Self::Ota,
        Self::RemoteConfig,
        Self::Registry,
        Self::Custom,
        Self::Log,
        Self::Ntp,
        Self::Shadow,
        Self::Registration,
        Self::OutOfScope,
    ];

    /// As subjects, settings and metrics spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Thing => "thing",
            Self::Ota => "ota",
            Self::RemoteConfig => "remoteconfig",
            Self::Registry => "registry",
            Self::Custom => "custom",
            Self::Log => "log",
            Self::Ntp => "ntp",
            Self::Shadow => "shadow",
            Self::Registration => "registration",
            Self::OutOfScope => "outofscope",
        }
    }
}

/// What is called in `/ext/rrpc/{mid}{topic}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RrpcInner<'a> {
    PropertySet,
    Service { service: &'a str },
    DownRaw,
    Custom { path: &'a str },
}

/// A topic that is a path below `prefix` and a device, answered on the same path with `_reply`.
pub(super) struct Row {
    pub(super) prefix: &'static str,
    pub(super) path: &'static str,
    pub(super) is_reply: bool,
    direction: Direction,
    capability: Capability,
}

pub(super) const SYS: &str = "/sys/";
pub(super) const SESSION: &str = "/ext/session/";

macro_rules! answered_topics {
    ($($request:ident $reply:ident $prefix:ident $path:literal $direction:ident $capability:ident;)*) => {
        /// What a topic is for. A `…Reply` is the answer to the kind before it, the other way.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind<'a> {
            $($request, $reply,)*
            /// `thing/event/{event}/post`; `{module}:{event}` for one of a module.
            EventPost { event: &'a str },
            EventPostReply { event: &'a str },
            /// `thing/service/{service}`; `{module}:{service}` for one of a module.
            Service { service: &'a str },
            ServiceReply { service: &'a str },
            /// A synchronous call of a device that does not understand `/ext/rrpc/…`.
            RrpcRequest { mid: u64 },
            RrpcResponse { mid: u64 },
            /// A synchronous call, and its answer, of a device that does.
            ExtRrpc { mid: u64, inner: RrpcInner<'a> },
            ConfigLogPush,
            NtpRequest,
            NtpResponse,
            ShadowUpdate,
            ShadowGet,
            /// Trouble with a sub-device's session, told to its gateway.
            ExtError,
            OtaInform,
            OtaProgress,
            OtaUpgrade,
            /// Answered on the same topic.
            OtaRequest,
            /// `path` is what stands behind the device name: `user/…`, or anything in old products.
            Custom { path: &'a str },
            Broadcast { product_key: &'a str, path: &'a str },
            Register,
            RegisterNew,
            /// `thing/reset`, `thing/awss/…`, `thing/lan/…`, `thing/job/…`.
            OutOfScope { path: &'a str },
        }

        impl<'a> Kind<'a> {
            /// The kinds of a table row and of its reply, by the request's path.
            pub(super) fn answered(prefix: &str, path: &str) -> Option<(Self, Self)> {
                match (path, prefix) {
                    $(($path, $prefix) => Some((Self::$request, Self::$reply)),)*
                    _ => None,
                }
            }

            pub(super) fn row(self) -> Option<Row> {
                match self {
                    $(
                        Self::$request => Some(Row {
                            prefix: $prefix,
                            path: $path,
                            is_reply: false,
                            direction: Direction::$direction,
                            capability: Capability::$capability,
                        }),
                        Self::$reply => Some(Row {
                            prefix: $prefix,
                            path: $path,
                            is_reply: true,
                            direction: Direction::$direction.back(),
                            capability: Capability::$capability,
                        }),
                    )*
                    _ => None,
                }
            }

            fn answered_by(self) -> Option<Self> {
                match self {
                    $(Self::$request => Some(Self::$reply),)*
                    _ => None,
                }
            }

            /// All rows that are answered with `_reply`, requests and replies.
            #[cfg(test)]
            pub(super) const ANSWERED: &'static [(Kind<'static>, Kind<'static>)] =
                &[$((Kind::$request, Kind::$reply),)*];
        }
    };
}

answered_topics! {
    PropertyPost PropertyPostReply SYS "thing/event/property/post" Up Thing;
    PropertyBatchPost PropertyBatchPostReply SYS "thing/event/property/batch/post" Up Thing;
    PropertyHistoryPost PropertyHistoryPostReply SYS "thing/event/property/history/post" Up Thing;
    PropertyPackPost PropertyPackPostReply SYS "thing/event/property/pack/post" Up Thing;
    PropertySet PropertySetReply SYS "thing/service/property/set" Down Thing;
    PropertyGet PropertyGetReply SYS "thing/service/property/get" Down Thing;
    DesiredGet DesiredGetReply SYS "thing/property/desired/get" Up Thing;
    DesiredDelete DesiredDeleteReply SYS "thing/property/desired/delete" Up Thing;
    TagsUpdate TagsUpdateReply SYS "thing/deviceinfo/update" Up Thing;
    TagsDelete TagsDeleteReply SYS "thing/deviceinfo/delete" Up Thing;
    ModelGet ModelGetReply SYS "thing/dsltemplate/get" Up Thing;
    DynamicModelGet DynamicModelGetReply SYS "thing/dynamicTsl/get" Up Thing;
    UpRaw UpRawReply SYS "thing/model/up_raw" Up Thing;
    DownRaw DownRawReply SYS "thing/model/down_raw" Down Thing;

    ConfigLogGet ConfigLogGetReply SYS "thing/config/log/get" Up Log;
    LogPost LogPostReply SYS "thing/log/post" Up Log;
    DiagnosisPost DiagnosisPostReply SYS "_thing/diag/post" Up Log;

    FirmwareGet FirmwareGetReply SYS "thing/ota/firmware/get" Up Ota;
    FileDownload FileDownloadReply SYS "thing/file/download" Up Ota;

    ConfigGet ConfigGetReply SYS "thing/config/get" Up RemoteConfig;
    ConfigPush ConfigPushReply SYS "thing/config/push" Down RemoteConfig;

    TopoAdd TopoAddReply SYS "thing/topo/add" Up Registry;
    TopoDelete TopoDeleteReply SYS "thing/topo/delete" Up Registry;
    TopoGet TopoGetReply SYS "thing/topo/get" Up Registry;
    TopoAddNotify TopoAddNotifyReply SYS "thing/topo/add/notify" Down Registry;
    TopoChange TopoChangeReply SYS "thing/topo/change" Down Registry;
    ListFound ListFoundReply SYS "thing/list/found" Up Registry;
    SubRegister SubRegisterReply SYS "thing/sub/register" Up Registry;
    SubUnregister SubUnregisterReply SYS "thing/sub/unregister" Up Registry;
    ProxyRegister ProxyRegisterReply SYS "thing/proxy/provisioning/product_register" Up Registry;
    Disable DisableReply SYS "thing/disable" Down Registry;
    Enable EnableReply SYS "thing/enable" Down Registry;
    Delete DeleteReply SYS "thing/delete" Down Registry;
    SessionLogin SessionLoginReply SESSION "combine/login" Up Registry;
    SessionLogout SessionLogoutReply SESSION "combine/logout" Up Registry;
    SessionBatchLogin SessionBatchLoginReply SESSION "combine/batch_login" Up Registry;
    SessionBatchLogout SessionBatchLogoutReply SESSION "combine/batch_logout" Up Registry;
}

impl Kind<'_> {
    pub fn direction(self) -> Direction {
        if let Some(row) = self.row() {
            return row.direction;
        }
        match self {
            Self::EventPost { .. }
            | Self::ServiceReply { .. }
            | Self::RrpcResponse { .. }
            | Self::NtpRequest
            | Self::ShadowUpdate
            | Self::OtaInform
            | Self::OtaProgress => Direction::Up,
            Self::ExtRrpc { .. }
            | Self::OtaRequest
            | Self::Custom { .. }
            | Self::OutOfScope { .. } => Direction::Both,
            _ => Direction::Down,
        }
    }

    pub fn capability(self) -> Capability {
        if let Some(row) = self.row() {
            return row.capability;
        }
        match self {
            Self::ConfigLogPush => Capability::Log,
            Self::NtpRequest | Self::NtpResponse => Capability::Ntp,
            Self::ShadowUpdate | Self::ShadowGet => Capability::Shadow,
            Self::ExtError => Capability::Registry,
            Self::OtaInform | Self::OtaProgress | Self::OtaUpgrade | Self::OtaRequest => {
                Capability::Ota
            }
            Self::Custom { .. }
            | Self::Broadcast { .. }
            | Self::ExtRrpc {
                inner: RrpcInner::Custom { .. },
                ..
            } => Capability::Custom,
            Self::Register | Self::RegisterNew => Capability::Registration,
            Self::OutOfScope { .. } => Capability::OutOfScope,
            _ => Capability::Thing,
        }
    }

    /// Whether a device answers a command on it; somebody may wait for that.
    pub fn answers_command(self) -> bool {
        matches!(
            self,
            Self::PropertySetReply
                | Self::DownRawReply
                | Self::ServiceReply { .. }
                | Self::RrpcResponse { .. }
                | Self::ExtRrpc { .. }
        )
    }

    /// The kind of its answer; nothing if there is none.
    pub fn reply(self) -> Option<Self> {
        match self {
            Self::EventPost { event } => Some(Self::EventPostReply { event }),
            Self::Service { service } => Some(Self::ServiceReply { service }),
            Self::RrpcRequest { mid } => Some(Self::RrpcResponse { mid }),
            Self::NtpRequest => Some(Self::NtpResponse),
            Self::ExtRrpc { .. } | Self::OtaRequest => Some(self),
            _ => self.answered_by(),
        }
    }
}
