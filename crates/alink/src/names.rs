//! Who and what is meant: names that cannot be wrong once they exist.
//!
//! Text names share their text, so that a clone costs a counter.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::limits;

mod device;
mod message_id;

pub use device::{Device, DeviceRef};
pub use message_id::MessageId;

/// A text that is no such name; says the rule it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    #[error("a ProductKey is 1 to 32 letters and digits")]
    ProductKey,
    #[error("a DeviceName is 4 to 32 characters: letters, digits, - _ @ . :")]
    DeviceName,
    #[error("a device is written {{ProductKey}}/{{DeviceName}}")]
    Device,
    #[error("an IotId is 1 to 64 visible ASCII characters")]
    IotId,
    #[error("a message id is a UUID of version 7")]
    MessageId,
}

macro_rules! text_name {
    ($(#[$doc:meta])* $name:ident, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn is_valid(text: &str) -> bool {
                let valid: fn(&[u8]) -> bool = $valid;
                valid(text.as_bytes())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, BadName> {
                Self::is_valid(text).then(|| Self(text.into())).ok_or(BadName::$name)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = BadName;

            fn try_from(text: &str) -> Result<Self, BadName> {
                text.parse()
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadName;

            fn try_from(text: String) -> Result<Self, BadName> {
                text.parse()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), &self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

text_name!(
    /// Names a product: 1 to 32 letters and digits, given by the platform.
    ProductKey,
    |text| (1..=limits::PRODUCT_KEY_CHARS).contains(&text.len())
        && text.iter().all(u8::is_ascii_alphanumeric)
);

text_name!(
    /// Names a device within its product: 4 to 32 of letters, digits and `- _ @ . :`.
    DeviceName,
    |text| limits::DEVICE_NAME_CHARS.contains(&text.len())
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_@.:".contains(byte))
);

text_name!(
    /// The global, opaque id of one device: 1 to 64 visible ASCII characters. No device sends it.
    IotId,
    |text| (1..=limits::IOT_ID_CHARS).contains(&text.len())
        && text.iter().all(u8::is_ascii_graphic)
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_keep_their_rules() {
        for good in ["a1B2c3D4e5F", "x", "12345678901234567890123456789012"] {
            assert_eq!(good.parse::<ProductKey>().unwrap().as_str(), good);
        }
        for bad in ["", "a-b", "a/b", "é", "123456789012345678901234567890123"] {
            assert_eq!(bad.parse::<ProductKey>(), Err(BadName::ProductKey), "{bad}");
        }
        for good in [
            "boiler_01",
            "a-_@.:Z9",
            "abcd",
            "12345678901234567890123456789012",
        ] {
            assert_eq!(good.parse::<DeviceName>().unwrap().as_str(), good);
        }
        for bad in [
            "abc",
            "a b c",
            "abcd/",
            "abc+",
            "abc#",
            "abc&",
            "abc|",
            "日本語名",
            "123456789012345678901234567890123",
        ] {
            assert_eq!(bad.parse::<DeviceName>(), Err(BadName::DeviceName), "{bad}");
        }
        assert!(IotId::is_valid("Xy7_-=") && !IotId::is_valid("") && !IotId::is_valid("a b"));
    }

    proptest! {
        #[test]
        fn a_name_that_parses_displays_as_it_was(text in ".{0,40}") {
            if let Ok(name) = text.parse::<DeviceName>() {
                prop_assert_eq!(name.to_string(), &*text);
            }
            if let Ok(name) = text.parse::<ProductKey>() {
                prop_assert_eq!(name.to_string(), &*text);
            }
        }
    }
}
