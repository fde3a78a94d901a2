//! The places for connections between accepting and CONNACK, and everybody's share of them.
//!
//! A number for each address would be too small for a thousand devices behind one router, or too large to hold
//! off a few strangers who open connections and say nothing. So a share follows what is left: an address may
//! hold one for every so many that are free. Alone it has many; the more others hold, the less it
//! gets, and who comes new finds a place until the very last.

use std::{
    collections::hash_map::Entry,
    sync::{Arc, Mutex},
};

use ahash::AHashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::source::Source;

#[derive(Debug)]
pub(crate) struct Opening {
    free: Arc<Semaphore>,
    /// Free places for each that an address may hold; 0: an address may hold all.
    free_for_one: usize,
    held: Mutex<AHashMap<Source, usize>>,
}

/// A connection's place, until it is let in or gone.
#[derive(Debug)]
pub(crate) struct Place {
    opening: Arc<Opening>,
    source: Source,
    _permit: OwnedSemaphorePermit,
}

impl Opening {
    pub(crate) fn new(places: usize, free_for_one: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(places.max(1))),
            free_for_one,
            held: Mutex::default(),
        }
    }

    /// A place for whoever comes next.
    pub(super) async fn permit(&self) -> OwnedSemaphorePermit {
        let permit = self.free.clone().acquire_owned().await;
        permit.expect("never closed")
    }

    /// Gives it to who has come; nothing if that address has its share.
    pub(super) fn give(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
        source: Source,
    ) -> Option<Place> {
        let mut held = self.held.lock().expect("not poisoned");
        let count = held.get(&source).copied().unwrap_or(0);
        let share = self.free.available_permits().checked_div(self.free_for_one);
        if share.is_some_and(|share| count > share) {
            return None;
        }
        held.insert(source, count + 1);
        Some(Place {
            opening: self.clone(),
            source,
            _permit: permit,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.opening.held.lock().expect("not poisoned");
        if let Entry::Occupied(mut count) = held.entry(self.source) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn source(number: u32) -> Source {
        IpAddr::from(number.to_be_bytes()).into()
    }

    /// As many places as it gets.
    async fn fill(opening: &Arc<Opening>, source: Source) -> Vec<Place> {
        let mut places = Vec::new();
        while opening.free.available_permits() > 0 {
            let permit = opening.permit().await;
            match opening.give(permit, source) {
                Some(place) => places.push(place),
                None => break,
            }
        }
        places
    }

    #[tokio::test]
    async fn one_address_holds_its_share_and_leaves_the_others_theirs() {
        let opening = Arc::new(Opening::new(9000, 8));
        let first = fill(&opening, source(1)).await;
        assert_eq!(first.len(), 1000);
        assert_eq!(fill(&opening, source(2)).await.len(), 889);
        drop(first);
        assert_eq!(fill(&opening, source(2)).await.len(), 1000);
    }

    #[tokio::test]
    async fn who_comes_new_finds_a_place_when_dozens_hold_all_they_can() {
        let opening = Arc::new(Opening::new(10_000, 8));
        let mut held = Vec::new();
        for number in 0..40 {
            held.extend(fill(&opening, source(number)).await);
            held.extend(fill(&opening, source(0)).await);
        }
        assert!(held.len() < 9_950, "{}", held.len());
        assert!(!fill(&opening, source(40)).await.is_empty());
    }

    #[tokio::test]
    async fn without_shares_one_address_may_hold_all() {
        let opening = Arc::new(Opening::new(100, 0));
        assert_eq!(fill(&opening, source(1)).await.len(), 100);
    }

    #[tokio::test]
    async fn the_last_place_is_for_whoever_comes_and_nobody_who_left_is_remembered() {
        let opening = Arc::new(Opening::new(1, 8));
        for number in 0..10 {
            let permit = opening.permit().await;
            assert!(opening.give(permit, source(number)).is_some());
        }
        assert!(opening.held.lock().unwrap().is_empty());
    }
}
