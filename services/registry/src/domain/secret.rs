//! Random texts of letters and digits: keys, ids and secrets that the platform gives.

use rand::distr::{Alphanumeric, SampleString};

/// Characters of a ProductKey, as every device SDK knows it.
const PRODUCT_KEY: usize = 11;
const PRODUCT_SECRET: usize = 16;
const DEVICE_SECRET: usize = 32;
const IOT_ID: usize = 32;
/// Long enough that a generated name meets no other of its product.
const DEVICE_NAME: usize = 20;

pub(crate) fn product_key() -> String {
    text(PRODUCT_KEY)
}

pub(crate) fn product_secret() -> String {
    text(PRODUCT_SECRET)
}

pub(crate) fn device_secret() -> String {
    text(DEVICE_SECRET)
}

pub(crate) fn iot_id() -> String {
    text(IOT_ID)
}

pub(crate) fn device_name() -> String {
    text(DEVICE_NAME)
}

/// From the thread's generator, which is cryptographic and seeded by the system.
fn text(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_names_are_valid_and_secrets_have_their_length() {
        assert!(alink::ProductKey::is_valid(&product_key()) && product_key().len() == 11);
        assert!(alink::DeviceName::is_valid(&device_name()));
        assert!(alink::IotId::is_valid(&iot_id()));
        for (secret, length) in [(product_secret(), 16), (device_secret(), 32)] {
            assert_eq!(secret.len(), length);
            assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
        assert_ne!(device_secret(), device_secret());
    }
}
