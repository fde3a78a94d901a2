//! Topic aliases that an MQTT 5 device sets: a number in place of a topic it has named before.

use std::num::NonZeroU16;

/// An alias beyond the offered maximum, or one that names nothing yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadAlias;

/// The aliases of one connection; empty until the first is set.
#[derive(Debug, Default)]
pub(crate) struct Aliases {
    topics: Vec<Option<Box<str>>>,
}

impl Aliases {
    /// The topic that a PUBLISH means by its topic and alias.
    pub(crate) fn resolve<'a>(
        &'a mut self,
        topic: &'a str,
        alias: Option<NonZeroU16>,
        maximum: u16,
    ) -> Result<&'a str, BadAlias> {
        let Some(alias) = alias else {
            return if topic.is_empty() {
                Err(BadAlias)
            } else {
                Ok(topic)
            };
        };
        if alias.get() > maximum {
            return Err(BadAlias);
        }
        let index = usize::from(alias.get()) - 1;
        if topic.is_empty() {
            return self
                .topics
                .get(index)
                .and_then(Option::as_deref)
                .ok_or(BadAlias);
        }
        if self.topics.len() <= index {
            self.topics.resize(index + 1, None);
        }
        self.topics[index] = Some(topic.into());
        Ok(topic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_stands_for_the_topic_it_was_last_given() {
        let mut aliases = Aliases::default();
        let two = NonZeroU16::new(2);
        assert_eq!(aliases.resolve("", two, 20), Err(BadAlias), "not set yet");
        assert_eq!(aliases.resolve("/a", two, 20), Ok("/a"));
        assert_eq!(aliases.resolve("", two, 20), Ok("/a"));
        assert_eq!(aliases.resolve("/b", two, 20), Ok("/b"));
        assert_eq!(aliases.resolve("", two, 20), Ok("/b"));
        assert_eq!(
            aliases.resolve("/c", NonZeroU16::new(21), 20),
            Err(BadAlias)
        );
        assert_eq!(aliases.resolve("", None, 20), Err(BadAlias));
        assert_eq!(aliases.resolve("/d", None, 20), Ok("/d"));
    }
}
