//! What the bus may bring, without a store: for the fuzz targets alone.

use bus::Batch;
use proto::hoshu::bus::v1::LogBatch;

use crate::{inbox::read_entry, store::packed};

/// A batch of lines as it is read, packed and read again.
///
/// # Panics
/// When lines do not come back as they went.
pub fn batch(payload: &[u8]) {
    for entry in LogBatch::read(payload.to_vec().into()).unwrap_or_default() {
        let Ok(entry) = read_entry(entry) else {
            continue;
        };
        let bytes = packed::pack(&entry.device, entry.lines.clone());
        let unpacked = packed::unpack(&bytes).expect("what was packed");
        assert_eq!(unpacked, (entry.device, entry.lines));
    }
}

/// The lines of a row, which may have been damaged.
pub fn row(bytes: &[u8]) {
    let Ok((device, lines)) = packed::unpack(bytes) else {
        return;
    };
    let again = packed::pack(&device, lines.clone());
    assert_eq!(
        packed::unpack(&again).expect("what was packed"),
        (device, lines)
    );
}
