//! MQTT topic filters: `+` is any one level, `#` any rest, itself included.

/// A text that MQTT does not allow as a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an MQTT topic filter")]
pub struct BadFilter;

/// Whether MQTT allows `filter` (MQTT 3.1.1, 4.7): wildcards alone in their level, `#` last.
pub fn check(filter: &str) -> Result<(), BadFilter> {
    if filter.is_empty() || filter.contains('\0') {
        return Err(BadFilter);
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let ok = match level {
            "+" => true,
            "#" => levels.peek().is_none(),
            _ => !level.contains(['+', '#']),
        };
        if !ok {
            return Err(BadFilter);
        }
    }
    Ok(())
}

pub fn has_wildcards(filter: &str) -> bool {
    filter.contains(['+', '#'])
}

/// Whether a message on `topic` is for who subscribed `filter`, which [`check`] has allowed. Allocates nothing.
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut topic_levels = topic.split('/');
    for level in filter.split('/') {
        if level == "#" {
            return true;
        }
        match topic_levels.next() {
            Some(name) if level == "+" || level == name => {}
            _ => return false,
        }
    }
    topic_levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn filters_match_as_the_specification_says() {
        for (filter, topic, expected) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            (
                "sport/tennis/player1/#",
                "sport/tennis/player1/ranking",
                true,
            ),
            (
                "sport/tennis/player1/#",
                "sport/tennis/player1/score/wimbledon",
                true,
            ),
            ("sport/#", "sport", true),
            ("#", "sport/tennis", true),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/uptime", false),
            ("+/uptime", "$SYS/uptime", false),
            ("$SYS/#", "$SYS/uptime", true),
            ("a/b", "a/b", true),
            ("a/b", "a/B", false),
            ("a/b", "a/b/", false),
            ("a/b/", "a/b", false),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
        }
    }

    #[test]
    fn wildcards_stand_alone_and_the_rest_comes_last() {
        for good in ["#", "+", "a/+/b", "a/#", "/", "//", "+/+/#", "/sys/p/d/#"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "a#", "#/a", "a/#/b", "a+", "+a/b", "a/b#", "a\0"] {
            assert_eq!(check(bad), Err(BadFilter), "{bad}");
        }
    }

    /// Straight from the words of the specification, one level at a time.
    fn naive(filter: &[&str], topic: &[&str]) -> bool {
        match (filter, topic) {
            (["#"], _) => true,
            ([], []) => true,
            ([level, filter @ ..], [name, topic @ ..]) => {
                (*level == "+" || level == name) && naive(filter, topic)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_the_naive_reading(
            filter in prop::collection::vec(prop::sample::select(vec!["a", "b", "", "+"]), 1..6),
            rest: bool,
            topic in prop::collection::vec(prop::sample::select(vec!["a", "b", ""]), 1..6),
        ) {
            let mut filter = filter;
            if rest {
                filter.push("#");
            }
            prop_assert_eq!(check(&filter.join("/")), if filter == [""] { Err(BadFilter) } else { Ok(()) });
            prop_assert_eq!(matches(&filter.join("/"), &topic.join("/")), naive(&filter, &topic));
        }

        #[test]
        fn nothing_makes_it_panic(filter: String, topic: String) {
            let _ = (check(&filter), matches(&filter, &topic));
        }
    }
}
