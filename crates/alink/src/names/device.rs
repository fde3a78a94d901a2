//! A product and a name therein: one device, owned or as a topic names it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{BadName, DeviceName, ProductKey};

/// One device, anywhere: its product and its name therein. Written `pk/dn`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    pub product_key: ProductKey,
    pub device_name: DeviceName,
}

impl Device {
    pub fn new(product_key: ProductKey, device_name: DeviceName) -> Self {
        Self {
            product_key,
            device_name,
        }
    }

    /// Reads both names, as they come from a row or a message.
    pub fn parse(product_key: &str, device_name: &str) -> Result<Self, BadName> {
        Ok(Self {
            product_key: product_key.parse()?,
            device_name: device_name.parse()?,
        })
    }

    pub fn as_ref(&self) -> DeviceRef<'_> {
        DeviceRef {
            product_key: self.product_key.as_str(),
            device_name: self.device_name.as_str(),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.product_key, self.device_name)
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({self})")
    }
}

impl FromStr for Device {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let (product_key, device_name) = text.split_once('/').ok_or(BadName::Device)?;
        Self::parse(product_key, device_name)
    }
}

/// A device as a topic names it: both names are well-formed, and borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceRef<'a> {
    product_key: &'a str,
    device_name: &'a str,
}

impl<'a> DeviceRef<'a> {
    pub fn parse(product_key: &'a str, device_name: &'a str) -> Option<Self> {
        (ProductKey::is_valid(product_key) && DeviceName::is_valid(device_name)).then_some(Self {
            product_key,
            device_name,
        })
    }

    pub fn product_key(self) -> &'a str {
        self.product_key
    }

    pub fn device_name(self) -> &'a str {
        self.device_name
    }

    pub fn to_device(self) -> Device {
        Device {
            product_key: ProductKey(self.product_key.into()),
            device_name: DeviceName(self.device_name.into()),
        }
    }
}

impl PartialEq<Device> for DeviceRef<'_> {
    fn eq(&self, other: &Device) -> bool {
        *self == other.as_ref()
    }
}

impl fmt::Display for DeviceRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.product_key, self.device_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_written_product_slash_name() {
        let device: Device = "a1B2c3D4e5F/boiler_01".parse().unwrap();
        assert_eq!(device.to_string(), "a1B2c3D4e5F/boiler_01");
        assert_eq!(
            serde_json::to_string(&device).unwrap(),
            r#"{"productKey":"a1B2c3D4e5F","deviceName":"boiler_01"}"#
        );
        assert!(serde_json::from_str::<Device>(r#"{"productKey":"a","deviceName":"b"}"#).is_err());
        assert_eq!(device.as_ref(), device);
        assert_eq!(device.as_ref().to_device(), device);
    }
}
