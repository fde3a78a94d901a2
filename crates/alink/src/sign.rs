//! The three keyed digests by which devices prove who they are.

use std::{fmt, str::FromStr};

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

use crate::names::DeviceRef;

/// How a content is signed. Absent where it may be, it is [`SignMethod::HmacMd5`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SignMethod {
    #[default]
    HmacMd5,
    HmacSha1,
    HmacSha256,
}

/// A sign method we do not know, or no longer take (`sha256`: it has no key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sign method is none of hmacmd5, hmacsha1, hmacsha256")]
pub struct UnknownSignMethod;

impl SignMethod {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HmacMd5 => "hmacmd5",
            Self::HmacSha1 => "hmacsha1",
            Self::HmacSha256 => "hmacsha256",
        }
    }

    /// The signature in lower-case hex. `secret` is used as it stands, never decoded.
    pub fn sign(self, secret: &str, content: &str) -> String {
        match self {
            Self::HmacMd5 => hex::encode(mac::<Hmac<Md5>>(secret, content).finalize().into_bytes()),
            Self::HmacSha1 => {
                hex::encode(mac::<Hmac<Sha1>>(secret, content).finalize().into_bytes())
            }
            Self::HmacSha256 => {
                hex::encode(mac::<Hmac<Sha256>>(secret, content).finalize().into_bytes())
            }
        }
    }

    /// Whether `signature`, in hex of either case, is the secret's; takes the same time for every wrong one.
    pub fn verify(self, secret: &str, content: &str, signature: &[u8]) -> bool {
        let mut bytes = [0; 32];
        let Some(bytes) = bytes.get_mut(..signature.len() / 2) else {
            return false;
        };
        if hex::decode_to_slice(signature, bytes).is_err() {
            return false;
        }
        match self {
            Self::HmacMd5 => mac::<Hmac<Md5>>(secret, content)
                .verify_slice(bytes)
                .is_ok(),
            Self::HmacSha1 => mac::<Hmac<Sha1>>(secret, content)
                .verify_slice(bytes)
                .is_ok(),
            Self::HmacSha256 => mac::<Hmac<Sha256>>(secret, content)
                .verify_slice(bytes)
                .is_ok(),
        }
    }
}

fn mac<M: Mac + KeyInit>(secret: &str, content: &str) -> M {
    let mut mac =
        <M as KeyInit>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(content.as_bytes());
    mac
}

impl FromStr for SignMethod {
    type Err = UnknownSignMethod;

    fn from_str(text: &str) -> Result<Self, UnknownSignMethod> {
        [Self::HmacMd5, Self::HmacSha1, Self::HmacSha256]
            .into_iter()
            .find(|method| method.as_str().eq_ignore_ascii_case(text))
            .ok_or(UnknownSignMethod)
    }
}

impl fmt::Display for SignMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a device, or a sub-device at its login, signs. `client_id` is the part before the first bar for a
/// device of its own, and the whole text, bars included, for a sub-device.
pub fn session_content(client_id: &str, device: DeviceRef<'_>, timestamp: Option<&str>) -> String {
    let (dn, pk) = (device.device_name(), device.product_key());
    match timestamp {
        Some(timestamp) => {
            format!("clientId{client_id}deviceName{dn}productKey{pk}timestamp{timestamp}")
        }
        None => format!("clientId{client_id}deviceName{dn}productKey{pk}"),
    }
}

/// What a device signs with its ProductSecret to be registered.
pub fn registration_content(device: DeviceRef<'_>, random: &str) -> String {
    let (dn, pk) = (device.device_name(), device.product_key());
    format!("deviceName{dn}productKey{pk}random{random}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Device;

    const METHODS: [SignMethod; 3] = [
        SignMethod::HmacMd5,
        SignMethod::HmacSha1,
        SignMethod::HmacSha256,
    ];

    fn boiler() -> Device {
        Device::parse("a1B2c3D4e5F", "boiler_01").unwrap()
    }

    #[test]
    fn a_device_signs_as_the_protocol_page_computes() {
        const SECRET: &str = "f3a9c2d7e1b84056a9d0c1e2f3b4a596";
        let content =
            |timestamp| session_content("a1B2c3D4e5F&boiler_01", boiler().as_ref(), timestamp);
        let with_time = content(Some("1700000000000"));
        assert_eq!(
            with_time,
            "clientIda1B2c3D4e5F&boiler_01deviceNameboiler_01productKeya1B2c3D4e5Ftimestamp1700000000000"
        );
        for (method, content, signature) in [
            (METHODS[0], &with_time, "332fc10bfdbfe9b187f352302262e752"),
            (
                METHODS[1],
                &with_time,
                "87241fe5c48d689cb8347f0edb14e8b74aad5118",
            ),
            (
                METHODS[2],
                &with_time,
                "32be2cfe54971b00a7df19905ad02794590234d9644651fc4a9f9c93a37b7d41",
            ),
            (
                METHODS[2],
                &content(None),
                "e2f8776022da09096d5f51e2980fa7e1ea6f8197e5587e40cbbd8ba8191a7098",
            ),
            (
                METHODS[1],
                &content(Some("1700000000")),
                "e84d8b5cde82d7aea0d7a4523806ac53bcf14181",
            ),
        ] {
            assert_eq!(method.sign(SECRET, content), signature);
            assert!(method.verify(SECRET, content, signature.as_bytes()));
            assert!(method.verify(SECRET, content, signature.to_uppercase().as_bytes()));
        }
    }

    #[test]
    fn a_registration_is_signed_as_the_protocol_page_computes() {
        let content = registration_content(boiler().as_ref(), "r4nd0mString15");
        assert_eq!(
            content,
            "deviceNameboiler_01productKeya1B2c3D4e5Frandomr4nd0mString15"
        );
        for (method, signature) in METHODS.into_iter().zip([
            "455c70eee5811d76d67c4425bfa7dbc7",
            "44d20caa2e65148271275b0da60a9e683aa69474",
            "6d1893e872d2be2ccb947064c7f29fec970794499f19f9dba369dd2bb96d445d",
        ]) {
            assert_eq!(method.sign("Kq7mZ2xW9tR4bN6v", &content), signature);
        }
    }

    #[test]
    fn a_sub_device_signs_its_whole_client_id() {
        let content = "clientIds.subdev1|lan=Python,_v=2.2.1,_ss=1|deviceNamesubdev1productKeystimestamp1795443525165";
        let signature = "7fd5d028fb904755726267d1c2afcc885a33ffc32f39475ba79f08ef592ba150";
        let sub = Device::parse("s", "subdev1").unwrap();
        assert_eq!(
            session_content(
                "s.subdev1|lan=Python,_v=2.2.1,_ss=1|",
                sub.as_ref(),
                Some("1795443525165")
            ),
            content
        );
        assert_eq!(
            "hmacSha256"
                .parse::<SignMethod>()
                .unwrap()
                .sign("x", content),
            signature
        );
    }

    #[test]
    fn anything_but_the_signature_is_refused() {
        for method in METHODS {
            let right = method.sign("secret", "content");
            assert!(!method.verify("Secret", "content", right.as_bytes()));
            assert!(!method.verify("secret", "contents", right.as_bytes()));
            for wrong in [
                "",
                "0",
                "zz",
                &right[2..],
                &format!("{right}00"),
                &right[1..],
                &"0".repeat(1000),
            ] {
                assert!(
                    !method.verify("secret", "content", wrong.as_bytes()),
                    "{wrong}"
                );
            }
        }
    }

    #[test]
    fn methods_are_spelled_in_any_case_and_the_unkeyed_one_is_refused() {
        for (text, method) in [
            ("HmacMD5", METHODS[0]),
            ("hmacsha1", METHODS[1]),
            ("hmacSha256", METHODS[2]),
        ] {
            assert_eq!(text.parse(), Ok(method));
        }
        for bad in ["", "sha256", "md5", "hmac-sha256"] {
            assert_eq!(bad.parse::<SignMethod>(), Err(UnknownSignMethod));
        }
    }
}
