//! What an MQTT CONNECT says about who comes in, and why it is turned away.
//!
//! The client id carries parameters between two bars, the user name the device, the password the
//! proof. Whether the device exists and its secret fits is decided by who holds the secrets.

use std::fmt;

use subtle::ConstantTimeEq;

use crate::{
    limits,
    names::{Device, DeviceRef},
    sign::{self, SignMethod},
};

mod client_id;
mod refusal;

pub use client_id::ClientId;
pub use refusal::ConnectRefusal;

/// How the listener carries the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Plain,
    Tls,
}

/// How the device believes to be connected (`securemode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecureMode {
    /// 2
    Tls,
    /// 3
    Plain,
    /// -2: TLS with a DeviceToken, or registration without pre-registration
    TlsToken,
}

impl SecureMode {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "2" => Some(Self::Tls),
            "3" => Some(Self::Plain),
            "-2" => Some(Self::TlsToken),
            _ => None,
        }
    }

    /// `allow_tls_modes_on_plain`: the Python SDK's registration says TLS on any connection.
    pub fn fits(self, transport: Transport, allow_tls_modes_on_plain: bool) -> bool {
        match transport {
            Transport::Tls => self != Self::Plain,
            Transport::Plain => self == Self::Plain || allow_tls_modes_on_plain,
        }
    }
}

/// What the device wants, and by which secret it proves itself (`authType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthType {
    /// A session; the password is signed with the DeviceSecret.
    Secret,
    /// A session; the password is the DeviceToken (`connwl`).
    Token,
    /// Its DeviceSecret; signed with the ProductSecret (`register`).
    Register,
    /// To be made, and a DeviceToken; signed with the ProductSecret (`regnwl`).
    RegisterNew,
}

impl AuthType {
    /// Such a connection may neither subscribe nor publish, and has no keep-alive bounds.
    pub fn is_registration(self) -> bool {
        matches!(self, Self::Register | Self::RegisterNew)
    }
}

/// A well-formed CONNECT of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    pub device: Device,
    /// The client id before its first bar: the part that is signed.
    pub cid: Box<str>,
    pub secure_mode: SecureMode,
    pub sign_method: SignMethod,
    /// Digits; signed, but never checked for freshness: SDKs send constants and stale times.
    pub timestamp: Option<Box<str>>,
    /// Bit 0: understands `/ext/rrpc/…`.
    pub ext: u32,
    /// `_ss=1`: system topics are subscribed without SUBSCRIBE.
    pub auto_subscribe: bool,
    pub auth_type: AuthType,
    /// Signed when registering; always there then.
    pub random: Option<Box<str>>,
    pub instance_id: Option<Box<str>>,
    pub sdk_language: Option<Box<str>>,
    pub sdk_version: Option<Box<str>>,
    pub password: Password,
}

impl Connect {
    /// Reads the three fields of a CONNECT packet, in the order in which refusals count.
    pub fn parse(
        client_id: &str,
        username: Option<&str>,
        password: Option<&[u8]>,
    ) -> Result<Self, ConnectRefusal> {
        let id = ClientId::parse(client_id).ok_or(ConnectRefusal::ClientId)?;
        let device = device_of(username)?;
        let password = password
            .filter(|p| !p.is_empty())
            .ok_or(ConnectRefusal::Password)?;
        let secure_mode = id
            .parameter("securemode")
            .and_then(SecureMode::parse)
            .ok_or(ConnectRefusal::SecureMode)?;
        let auth_type = match id.parameter("authType") {
            Some("register") => AuthType::Register,
            Some("regnwl") => AuthType::RegisterNew,
            Some("connwl") => AuthType::Token,
            None if secure_mode == SecureMode::TlsToken => AuthType::Token,
            None => AuthType::Secret,
            Some(_) => return Err(ConnectRefusal::ClientId),
        };
        let sign_method = match id.parameter("signmethod") {
            Some(method) => method.parse().map_err(|_| ConnectRefusal::SignMethod)?,
            None => SignMethod::default(),
        };
        let timestamp = id.parameter("timestamp");
        if timestamp
            .is_some_and(|text| text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()))
        {
            return Err(ConnectRefusal::ClientId);
        }
        if auth_type.is_registration() && id.parameter("random").is_none() {
            return Err(ConnectRefusal::ClientId);
        }
        let owned = |key| id.parameter(key).map(Box::from);
        Ok(Self {
            device,
            cid: id.cid().into(),
            secure_mode,
            sign_method,
            timestamp: timestamp.map(Box::from),
            ext: id
                .parameter("ext")
                .and_then(|ext| ext.parse().ok())
                .unwrap_or(0),
            auto_subscribe: id.auto_subscribes(),
            auth_type,
            random: owned("random"),
            instance_id: owned("instanceId"),
            sdk_language: owned("lan"),
            sdk_version: owned("_v"),
            password: Password(password.into()),
        })
    }

    pub fn understands_ext_rrpc(&self) -> bool {
        self.ext & 1 == 1
    }

    /// What the password signs; nothing where it is a token.
    pub fn signed_content(&self) -> Option<String> {
        let device = self.device.as_ref();
        match self.auth_type {
            AuthType::Secret => Some(sign::session_content(
                &self.cid,
                device,
                self.timestamp.as_deref(),
            )),
            AuthType::Token => None,
            AuthType::Register | AuthType::RegisterNew => Some(sign::registration_content(
                device,
                self.random.as_deref().unwrap_or_default(),
            )),
        }
    }

    /// Whether the password proves knowledge of `secret`: the DeviceSecret, DeviceToken or ProductSecret
    /// that [`Connect::auth_type`] asks for. Takes the same time for every wrong one.
    pub fn verify(&self, secret: &str) -> bool {
        match self.signed_content() {
            Some(content) => self
                .sign_method
                .verify(secret, &content, self.password.as_bytes()),
            None => self.password.as_bytes().ct_eq(secret.as_bytes()).into(),
        }
    }
}

/// The device that a user name names: `{dn}&{pk}` with exactly one `&`.
///
/// # Errors
/// When it is missing or names none.
pub fn device_of(username: Option<&str>) -> Result<Device, ConnectRefusal> {
    let (device_name, product_key) = username
        .and_then(|name| name.split_once('&'))
        .ok_or(ConnectRefusal::Username)?;
    DeviceRef::parse(product_key, device_name)
        .map(DeviceRef::to_device)
        .ok_or(ConnectRefusal::Username)
}

/// A signature or a token as it came; kept out of logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Box<[u8]>);

impl Password {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The keep-alive that counts, in seconds. Registration connections are not asked.
pub fn keep_alive(asked: u16) -> Result<u16, ConnectRefusal> {
    if asked < limits::KEEP_ALIVE_MIN_SECONDS {
        return Err(ConnectRefusal::KeepAlive);
    }
    Ok(asked.min(limits::KEEP_ALIVE_MAX_SECONDS))
}

#[cfg(test)]
mod tests;
