//! Who gets a session, and why one ends.

use alink::connect::ConnectRefusal;
use alink::sign::SignMethod;
use chrono::{DateTime, Utc};

use super::product::Traits;

/// What a device has shown to a gateway node.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) device: alink::Device,
    pub(crate) sign_method: SignMethod,
    pub(crate) content: String,
    /// Hex, as it came.
    pub(crate) signature: Vec<u8>,
    pub(crate) node: String,
    pub(crate) client_address: String,
    pub(crate) protocol: String,
}

impl Claim {
    /// Whose attempts it counts among: a device's at one address. Anybody can name a device, and must not use
    /// up the attempts that it makes from elsewhere.
    pub(crate) fn claimant(&self) -> (&alink::Device, &str) {
        let address = self.client_address.as_str();
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        (&self.device, host)
    }
}

/// What the registry knows of the device that a claim names.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) device_id: i64,
    pub(crate) iot_id: String,
    pub(crate) account_id: String,
    pub(crate) traits: Traits,
    pub(crate) sealed_secret: Vec<u8>,
    pub(crate) disabled: bool,
    pub(crate) revision: i32,
}

/// A CONNECT that a gateway node refused before it asked for a session.
#[derive(Clone, Debug)]
pub(crate) struct RefusedConnect {
    pub(crate) device: alink::Device,
    pub(crate) why: ConnectRefusal,
    pub(crate) client_address: String,
    pub(crate) protocol: String,
    pub(crate) at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    Unknown,
    WrongSignature,
    Disabled,
    TooManyAttempts,
}

impl Verdict {
    /// Why, where it is a refusal.
    pub(crate) fn refusal(self) -> Option<ConnectRefusal> {
        match self {
            Self::Accepted => None,
            Self::Unknown => Some(ConnectRefusal::UnknownDevice),
            Self::WrongSignature => Some(ConnectRefusal::Signature),
            Self::Disabled => Some(ConnectRefusal::Disabled),
            Self::TooManyAttempts => Some(ConnectRefusal::TooManyAttempts),
        }
    }
}

/// Judges a claim by the secret of the device that it names. Only who knows the secret learns the device's state.
pub(crate) fn judge(claim: &Claim, secret: &str, disabled: bool) -> Verdict {
    if !claim
        .sign_method
        .verify(secret, &claim.content, &claim.signature)
    {
        Verdict::WrongSignature
    } else if disabled {
        Verdict::Disabled
    } else {
        Verdict::Accepted
    }
}

/// A session that a device was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) node: String,
    /// Of all sessions of one device the highest is the current one.
    pub(crate) number: i64,
}

/// Why a session is over; the last names which cause of ours it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EndReason {
    Disconnect,
    ConnectionReset,
    KeepaliveTimeout,
    Kicked,
    Exception(String),
}

impl EndReason {
    pub(crate) fn ours(cause: &str) -> Self {
        Self::Exception(cause.to_owned())
    }
}

/// A session to be ended, if it is still the device's current one.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) device_id: i64,
    pub(crate) number: i64,
    pub(crate) reason: EndReason,
    pub(crate) at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "f3a9c2d7e1b84056a9d0c1e2f3b4a596";

    fn claim(secret: &str) -> Claim {
        let content = "clientIdxdeviceNamepump-1productKeya1B2c3D4e5F".to_owned();
        Claim {
            device: "a1B2c3D4e5F/pump-1".parse().unwrap(),
            sign_method: SignMethod::HmacSha256,
            signature: SignMethod::HmacSha256.sign(secret, &content).into_bytes(),
            content,
            node: "gateway-1".into(),
            client_address: "192.0.2.1:4711".into(),
            protocol: "mqtt 5".into(),
        }
    }

    #[test]
    fn only_the_secret_opens_the_door_and_only_while_the_device_is_enabled() {
        for (signed_with, disabled, expected) in [
            (SECRET, false, Verdict::Accepted),
            (SECRET, true, Verdict::Disabled),
            ("another", false, Verdict::WrongSignature),
            ("another", true, Verdict::WrongSignature),
        ] {
            assert_eq!(judge(&claim(signed_with), SECRET, disabled), expected);
        }
    }
}
