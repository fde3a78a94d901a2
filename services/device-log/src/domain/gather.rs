//! Lines of a page, picked from entries as they come from the store.

use alink::DeviceName;

use super::{Entry, Filter, Line, Position};

/// A line that answers the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) position: Position,
    pub(crate) device: DeviceName,
    pub(crate) line: Line,
}

/// Fills one page.
pub(crate) struct Gathering<'a> {
    filter: &'a Filter,
    /// Lines from here on have been shown.
    after: Option<Position>,
    size: usize,
    found: Vec<Found>,
}

impl<'a> Gathering<'a> {
    pub(crate) fn new(filter: &'a Filter, after: Option<Position>, size: usize) -> Self {
        Self {
            filter,
            after,
            size,
            found: Vec::new(),
        }
    }

    /// Takes what the page needs of the next older entry.
    pub(crate) fn add(&mut self, entry: Entry) {
        if !self.filter.is_about(&entry) {
            return;
        }
        for (index, line) in entry.lines.into_iter().enumerate().rev() {
            let position = Position {
                message_id: entry.message_id,
                part: entry.part,
                index: index as u32,
            };
            if self.is_full() {
                return;
            }
            if self.after.is_none_or(|after| position < after) && self.filter.takes(&line) {
                self.found.push(Found {
                    position,
                    device: entry.device.device_name.clone(),
                    line,
                });
            }
        }
    }

    /// Has the page, and one line more, which tells that there is another page.
    pub(crate) fn is_full(&self) -> bool {
        self.found.len() > self.size
    }

    /// A page that is not full, but large: it ends with the entry that `oldest` stands for.
    pub(crate) fn finish_early(self, oldest: Option<Position>) -> (Vec<Found>, Option<Position>) {
        (self.found, oldest)
    }

    /// The page, and where the next one goes on.
    pub(crate) fn finish(mut self) -> (Vec<Found>, Option<Position>) {
        let more = self.is_full();
        self.found.truncate(self.size);
        let next = self
            .found
            .last()
            .filter(|_| more)
            .map(|found| found.position);
        (self.found, next)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::entry::tests::any_entry;
    use crate::domain::filter::Times;

    type Rows = BTreeMap<(alink::MessageId, u32), Entry>;

    fn add(rows: &mut Rows, entries: Vec<Entry>) {
        for entry in entries {
            rows.entry((entry.message_id, entry.part)).or_insert(entry);
        }
    }

    fn page(
        rows: &Rows,
        filter: &Filter,
        after: Option<Position>,
        size: usize,
    ) -> (Vec<Found>, Option<Position>) {
        let mut page = Gathering::new(filter, after, size);
        rows.values()
            .rev()
            .cloned()
            .for_each(|entry| page.add(entry));
        page.finish()
    }

    proptest! {
        #[test]
        fn pages_are_the_whole_list_in_order_while_entries_arrive(
            first in prop::collection::vec(any_entry(), 0..12),
            later in prop::collection::vec(prop::collection::vec(any_entry(), 0..3), 40),
            size in 1..5_usize,
            failed: Option<bool>,
        ) {
            let product = "a1B2c3D4e5F".parse().unwrap();
            let filter = Filter::new(product, None, None, (&[], failed), Times::default());
            let mut rows = Rows::new();
            add(&mut rows, first);
            let (there, _) = page(&rows, &filter, None, usize::MAX - 1);

            let mut shown = Vec::new();
            let mut after = None;
            let mut arriving = later.into_iter();
            loop {
                let (found, next) = page(&rows, &filter, after, size);
                prop_assert!(next.is_none() || found.len() == size);
                shown.extend(found);
                after = next;
                if after.is_none() {
                    break;
                }
                add(&mut rows, arriving.next().unwrap_or_default());
            }

            prop_assert!(shown.is_sorted_by(|a, b| a.position > b.position), "repeats, or out of order");
            prop_assert!(there.iter().all(|line| shown.contains(line)), "skips");
        }
    }
}
