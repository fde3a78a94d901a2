//! What a device has subscribed, by itself or by `_ss=1`.

use alink::{filter, policy, topic::Topic};

/// Filters with the QoS that was granted, 0 or 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subscriptions {
    filters: Vec<(Box<str>, u8)>,
    /// `_ss=1`: system topics come without SUBSCRIBE, QoS 1.
    pub(crate) automatic: bool,
}

impl Subscriptions {
    pub(crate) fn new(automatic: bool, filters: Vec<(Box<str>, u8)>) -> Self {
        Self { filters, automatic }
    }

    pub(crate) fn filters(&self) -> &[(Box<str>, u8)] {
        &self.filters
    }

    /// Sets or replaces a filter; false when the device has too many already.
    pub(crate) fn add(&mut self, filter: &str, qos: u8, maximum: usize) -> bool {
        if let Some(known) = self
            .filters
            .iter_mut()
            .find(|(known, _)| &**known == filter)
        {
            known.1 = qos;
            return true;
        }
        if self.filters.len() >= maximum {
            return false;
        }
        if self.filters.len() == self.filters.capacity() {
            self.filters.reserve_exact(4);
        }
        self.filters.push((filter.into(), qos));
        true
    }

    pub(crate) fn remove(&mut self, filter: &str) -> bool {
        let before = self.filters.len();
        self.filters.retain(|(known, _)| &**known != filter);
        self.filters.len() < before
    }

    /// The QoS a message on this topic goes out with: the highest of all that match, so that filters
    /// that overlap deliver once. Nothing if none matches.
    pub(crate) fn qos_of(&self, topic: &str) -> Option<u8> {
        let own = self
            .filters
            .iter()
            .filter(|(filter, _)| filter::matches(filter, topic))
            .map(|(_, qos)| *qos)
            .max();
        if own == Some(1) || !self.automatic {
            return own;
        }
        let automatic = Topic::parse(topic).is_ok_and(|topic| policy::is_auto_subscribed(&topic));
        if automatic { Some(1) } else { own }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: &str = "/sys/pk/boiler/thing/event/property/post_reply";

    #[test]
    fn filters_that_overlap_deliver_once_with_the_higher_qos() {
        let mut subscriptions = Subscriptions::default();
        assert_eq!(subscriptions.qos_of(REPLY), None);
        assert!(subscriptions.add("/sys/pk/boiler/#", 0, 100));
        assert_eq!(subscriptions.qos_of(REPLY), Some(0));
        assert!(subscriptions.add("/sys/pk/boiler/thing/event/+/post_reply", 1, 100));
        assert_eq!(subscriptions.qos_of(REPLY), Some(1));
        assert!(subscriptions.remove("/sys/pk/boiler/#"));
        assert!(!subscriptions.remove("/sys/pk/boiler/#"));
        assert_eq!(subscriptions.qos_of(REPLY), Some(1));
    }

    #[test]
    fn automatic_subscription_brings_system_topics_but_not_custom_ones() {
        let mut subscriptions = Subscriptions::new(true, Vec::new());
        assert_eq!(subscriptions.qos_of(REPLY), Some(1));
        assert_eq!(subscriptions.qos_of("/pk/boiler/user/get"), None);
        assert!(subscriptions.add("/pk/boiler/user/get", 0, 100));
        assert_eq!(subscriptions.qos_of("/pk/boiler/user/get"), Some(0));
        assert!(subscriptions.add("/sys/pk/boiler/#", 0, 100));
        assert_eq!(
            subscriptions.qos_of(REPLY),
            Some(1),
            "an explicit one takes nothing away"
        );
    }

    #[test]
    fn a_device_has_only_so_many_and_may_always_replace_one() {
        let mut subscriptions = Subscriptions::default();
        for n in 0..100 {
            assert!(subscriptions.add(&format!("/pk/boiler/user/t{n}"), 1, 100));
        }
        assert!(!subscriptions.add("/pk/boiler/user/one_more", 1, 100));
        assert!(subscriptions.add("/pk/boiler/user/t5", 0, 100));
        assert_eq!(subscriptions.qos_of("/pk/boiler/user/t5"), Some(0));
    }
}
