//! Wills that wait for their device to come back (MQTT 5, Will Delay Interval).

use std::sync::Mutex;

use ahash::AHashMap;
use tokio_util::sync::CancellationToken;

/// One will for each device at most: a device that comes and goes leaves no more than its last.
#[derive(Debug, Default)]
pub(crate) struct Wills(Mutex<AHashMap<i64, CancellationToken>>);

impl Wills {
    /// The device's will begins to wait; an earlier one ends. Cancelled when the device is back.
    pub(crate) fn wait(&self, device_id: i64) -> CancellationToken {
        let back = CancellationToken::new();
        let mut waiting = self.0.lock().expect("not poisoned");
        if let Some(earlier) = waiting.insert(device_id, back.clone()) {
            earlier.cancel();
        }
        back
    }

    /// The device has come back, or its will's time has.
    pub(crate) fn end(&self, device_id: i64) {
        let ended = self.0.lock().expect("not poisoned").remove(&device_id);
        if let Some(back) = ended {
            back.cancel();
        }
    }
}
