//! Which lane a device is in.

use proto::hoshu::bus::v1::DeviceRef;

/// One of the lanes that devices are spread over. A device's messages stay in order within its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition(u16);

impl Partition {
    /// The lane of a device, by its names (FNV-1a, the same in every process and release).
    pub fn of(product_key: &str, device_name: &str, partitions: u16) -> Self {
        let bytes = product_key.bytes().chain([b'/']).chain(device_name.bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        // The low bits alone are poor: fold the high ones in.
        Self(((hash ^ (hash >> 32)) % u64::from(partitions.max(1))) as u16)
    }

    pub(crate) fn of_device(device: &DeviceRef, partitions: u16) -> Self {
        Self::of(&device.product_key, &device.device_name, partitions)
    }

    pub(crate) fn all(partitions: u16) -> impl Iterator<Item = Self> {
        (0..partitions.max(1)).map(Self)
    }

    pub fn number(self) -> u16 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_spread_evenly_and_always_the_same_way() {
        let mut counts = [0; 4];
        for n in 0..4000 {
            counts
                [usize::from(Partition::of("a1B2c3D4e5F", &format!("device-{n}"), 4).number())] +=
                1;
        }
        assert!(
            counts.iter().all(|count| (800..1200).contains(count)),
            "{counts:?}"
        );
        assert_eq!(
            Partition::of("a1B2c3D4e5F", "boiler_01", 4),
            Partition::of("a1B2c3D4e5F", "boiler_01", 4)
        );
        assert_eq!(Partition::of("a", "b", 0).number(), 0);
    }
}
