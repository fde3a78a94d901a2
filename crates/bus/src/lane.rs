//! Where a batch goes: a subject of a stream.

use std::marker::PhantomData;

use chassis::Noun;
use proto::hoshu::bus::v1::{LogBatch, PresenceBatch, UpBatch};

use crate::{Batch, Partition};

/// One subject of the stream that carries `B`. A publisher keeps the items of a lane in order.
pub struct Lane<B> {
    pub(crate) word: &'static str,
    pub(crate) partition: Partition,
    carries: PhantomData<fn(B)>,
}

impl<B> Clone for Lane<B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B> Copy for Lane<B> {}

impl<B> Lane<B> {
    fn new(word: &'static str, partition: Partition) -> Self {
        Self {
            word,
            partition,
            carries: PhantomData,
        }
    }
}

impl<B: Batch> Lane<B> {
    pub(crate) fn subject(self) -> String {
        match self.word {
            "" => format!("{}.{}", B::STEM, self.partition.number()),
            word => format!("{}.{word}.{}", B::STEM, self.partition.number()),
        }
    }
}

impl Lane<UpBatch> {
    /// Messages from devices, for the service that consumes this capability.
    pub fn up(capability: Noun, partition: Partition) -> Self {
        Self::new(capability.word(), partition)
    }
}

impl Lane<LogBatch> {
    pub fn log(partition: Partition) -> Self {
        Self::new("", partition)
    }
}

impl Lane<PresenceBatch> {
    pub fn presence(partition: Partition) -> Self {
        Self::new("", partition)
    }
}
