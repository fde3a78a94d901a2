//! Short numbers for long names.

use alink::{Device, ProductKey};
use sha2::{Digest, Sha256};

/// What rows are looked up by instead of a product's or device's name.
///
/// Two names may share a number, however unlikely: the packed lines carry the names,
/// and a reader compares them. The numbers are stored, so this function never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(i64);

impl Key {
    pub(crate) fn product(product: &ProductKey) -> Self {
        Self::of(&[product.as_str()])
    }

    pub(crate) fn device(device: &Device) -> Self {
        Self::of(&[
            device.product_key.as_str(),
            "/",
            device.device_name.as_str(),
        ])
    }

    pub(crate) fn number(self) -> i64 {
        self.0
    }

    fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
        }
        let digest = hash.finalize();
        Self(
            digest[..8]
                .iter()
                .fold(0, |number, byte| number << 8 | i64::from(*byte)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_stored_rows_never_change() {
        let product = "a1B2c3D4e5F".parse().unwrap();
        let device = "a1B2c3D4e5F/pump-01".parse().unwrap();
        // The first 16 digits of sha256sum, of `a1B2c3D4e5F` and of `a1B2c3D4e5F/pump-01`.
        assert_eq!(
            Key::product(&product).number() as u64,
            0xa310_c28b_1047_09fd
        );
        assert_eq!(Key::device(&device).number() as u64, 0x3a04_a253_fcbe_dcf0);
    }
}
