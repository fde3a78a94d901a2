use proptest::prelude::*;

use super::*;

fn value<'a>(identifier: &'a str, json: &'a str, at_ms: i64, message: u8) -> Value<'a> {
    Value {
        identifier,
        json,
        at_ms,
        by: [message; 16],
    }
}

fn merged(packed: &[u8], mut reported: Vec<Value<'_>>) -> Vec<u8> {
    merge(packed, &mut reported)
        .unwrap()
        .unwrap_or_else(|| packed.to_vec())
}

#[test]
fn an_older_value_that_comes_later_changes_nothing() {
    let row = merged(&[], vec![value("pressure", "6.2", 200, 1)]);
    assert_eq!(merge(&row, &mut [value("pressure", "9", 100, 2)]), Ok(None));
    assert_eq!(unpack(&row).unwrap(), [value("pressure", "6.2", 200, 1)]);
}

#[test]
fn other_properties_stay_and_all_are_sorted() {
    let row = merged(&[], vec![value("b", "1", 1, 1), value("a", "2", 1, 1)]);
    let row = merged(&row, vec![value("c", "3", 2, 2), value("b", "4", 2, 2)]);
    assert_eq!(
        unpack(&row).unwrap(),
        [
            value("a", "2", 1, 1),
            value("b", "4", 2, 2),
            value("c", "3", 2, 2)
        ]
    );
}

#[test]
fn of_one_messages_equal_times_the_last_place_wins() {
    let row = merged(&[], vec![value("a", "1", 5, 1), value("a", "2", 5, 1)]);
    assert_eq!(unpack(&row).unwrap(), [value("a", "2", 5, 1)]);
}

#[test]
fn the_row_is_bounded_and_keeps_what_was_reported_last() {
    let names: Vec<String> = (0..=VALUES_PER_DEVICE)
        .map(|n| format!("p{n:05}"))
        .collect();
    let all = names.iter().enumerate();
    let row = merged(
        &[],
        all.map(|(n, name)| value(name, "1", -(n as i64), 1))
            .collect(),
    );
    let kept = unpack(&row).unwrap();
    assert_eq!(kept.len(), VALUES_PER_DEVICE);
    assert_eq!(kept.last().unwrap().identifier, "p00999");
}

#[test]
fn a_damaged_row_is_told_not_guessed() {
    let row = merged(&[], vec![value("pressure", "6.2", 200, 1)]);
    for end in 2..row.len() {
        assert_eq!(unpack(&row[..end]), Err(Damaged), "{end}");
    }
    assert_eq!(unpack(&[9]), Err(Damaged));
    assert_eq!(unpack(&[1, 0xff, 0xff, 0xff, 0xff, 0xff]), Err(Damaged));
}

proptest! {
    #[test]
    fn the_order_of_arrival_and_repetitions_do_not_matter(
        messages in prop::collection::vec(
            (prop::collection::vec((0_usize..4, 0_i64..4, 0_u32..9), 1..4), any::<prop::sample::Index>()),
            1..12,
        ),
    ) {
        const NAMES: [&str; 4] = ["a", "b", "module:c", "dd"];
        let texts: Vec<Vec<String>> = messages
            .iter()
            .map(|(values, _)| values.iter().map(|(_, _, n)| n.to_string()).collect())
            .collect();
        let of = |index: usize| -> Vec<Value<'_>> {
            let (values, _) = &messages[index];
            values
                .iter()
                .zip(&texts[index])
                .map(|((name, at, _), text)| value(NAMES[*name], text, *at, index as u8))
                .collect()
        };
        let mut once = Vec::new();
        for index in 0..messages.len() {
            once = merged(&once, of(index));
        }
        let mut shuffled = Vec::new();
        for (_, pick) in &messages {
            shuffled = merged(&shuffled, of(pick.index(messages.len())));
        }
        let mut together = Vec::new();
        for index in (0..messages.len()).rev() {
            shuffled = merged(&shuffled, of(index));
            together.extend(of(index));
        }
        prop_assert_eq!(&once, &shuffled);
        prop_assert_eq!(&once, &merged(&[], together));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = unpack(&bytes);
    }
}
