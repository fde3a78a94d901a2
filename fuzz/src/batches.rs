//! What comes over the bus: batches of protobuf, and what is done with them before anything is stored.

use std::fmt::Debug;

use bus::Batch;
use bytes::Bytes;
use proto::hoshu::bus::v1::{Event, LogBatch, PresenceBatch, UpBatch};

use crate::messages::MODELS;

/// A batch is read or refused; its items can be told again one by one.
pub fn batches(payload: &[u8]) {
    tsl_validation::fuzzing::batch(payload, &MODELS[1]);
    device_log::fuzzing::batch(payload);
    device_log::fuzzing::row(payload);
    let payload = Bytes::copy_from_slice(payload);
    told_again::<UpBatch>(&payload);
    told_again::<LogBatch>(&payload);
    told_again::<PresenceBatch>(&payload);
    told_again::<Event>(&payload);
}

fn told_again<B: Batch<Item: Debug + PartialEq>>(payload: &Bytes) {
    for item in B::read(payload.clone()).unwrap_or_default() {
        let alone = B::read(B::write(&item).into()).expect("what was written");
        assert_eq!(alone, [item]);
    }
}
