//! Why a CONNECT is refused, and what the device is told of it: never whether its name or its
//! signature was wrong.

/// A cause of refusal. The texts are for our log; the device gets a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.reason())]
pub enum ConnectRefusal {
    ProtocolLevel,
    ClientId,
    KeepAlive,
    TooManyAttempts,
    NotReady,
    Username,
    Password,
    UnknownProduct,
    UnknownDevice,
    Signature,
    SignMethod,
    SecureMode,
    Disabled,
    Deleted,
    RegistrationOff,
    AlreadyActive,
}

/// The CONNACK return code of MQTT 3.1 and 3.1.1, and the reason code of MQTT 5.
#[derive(Clone, Copy)]
struct Connack {
    v3: u8,
    v5: u8,
}

impl ConnectRefusal {
    /// All causes, for metrics and tests.
    pub const ALL: [Self; 16] = [
        Self::ProtocolLevel,
        Self::ClientId,
        Self::KeepAlive,
        Self::TooManyAttempts,
        Self::NotReady,
        Self::Username,
        Self::Password,
        Self::UnknownProduct,
        Self::UnknownDevice,
        Self::Signature,
        Self::SignMethod,
        Self::SecureMode,
        Self::Disabled,
        Self::Deleted,
        Self::RegistrationOff,
        Self::AlreadyActive,
    ];

    pub fn connack_v3(self) -> u8 {
        self.connack().v3
    }

    pub fn connack_v5(self) -> u8 {
        self.connack().v5
    }

    /// Why, in words, for logs and metrics; never for the device.
    pub fn reason(self) -> &'static str {
        match self {
            Self::ProtocolLevel => "unknown protocol level",
            Self::ClientId => "client id is not {cid}|key=value,…|",
            Self::KeepAlive => "keep-alive is under 30 s",
            Self::TooManyAttempts => "too many attempts",
            Self::NotReady => "platform is not ready",
            Self::Username => "user name is missing or not {DeviceName}&{ProductKey}",
            Self::Password => "password is missing",
            Self::UnknownProduct => "unknown product",
            Self::UnknownDevice => "unknown device",
            Self::Signature => "wrong signature",
            Self::SignMethod => "unknown sign method",
            Self::SecureMode => "secure mode is not allowed here",
            Self::Disabled => "device is disabled",
            Self::Deleted => "device was deleted",
            Self::RegistrationOff => "registration is switched off",
            Self::AlreadyActive => "device is activated and cannot register again",
        }
    }

    fn connack(self) -> Connack {
        let (v3, v5) = match self {
            Self::ProtocolLevel => (1, 0x84),
            Self::ClientId => (3, 0x85),
            Self::KeepAlive => (3, 0x83),
            Self::TooManyAttempts => (3, 0x97),
            Self::NotReady => (3, 0x88),
            Self::Username | Self::Password => (4, 0x86),
            Self::UnknownProduct
            | Self::UnknownDevice
            | Self::Signature
            | Self::SignMethod
            | Self::SecureMode
            | Self::Disabled
            | Self::Deleted
            | Self::RegistrationOff
            | Self::AlreadyActive => (5, 0x87),
        };
        Connack { v3, v5 }
    }
}
