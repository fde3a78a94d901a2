//! The validator beside `jsonschema`, and beside parsers that only read the same bytes.
//!
//! `cargo bench --package thing-model -- --rounds 25` prints a JSON object for each contender and message.
//! All take turns on the same bytes, and each is told by its median turn: what the machine does
//! meanwhile meets all of them alike.

mod contenders;
mod models;

use std::hint::black_box;
use std::time::{Duration, Instant};

use contenders::{Contender, Verdict};
use models::Form;
use serde_json::json;

const SIZES: [usize; 3] = [5, 50, 200];
const ROUNDS: usize = 25;
/// One turn of one contender: many messages, few enough that turns change often.
const TURN: Duration = Duration::from_millis(5);

fn main() {
    let rounds = rounds();
    for properties in SIZES {
        for form in [Form::Plain, Form::Timed] {
            let mut contenders = contenders::all(properties, form);
            for faulty in [false, true] {
                let message = models::message(properties, form, faulty);
                let faults = models::faults(properties, faulty);
                agree(&mut contenders, message.as_bytes(), faults);
                let taken = take_turns(&mut contenders, message.as_bytes(), rounds);
                for (contender, nanoseconds) in contenders.iter().zip(taken) {
                    let measured = json!({
                        "contender": contender.name,
                        "properties": properties,
                        "form": format!("{form:?}").to_lowercase(),
                        "bytes": message.len(),
                        "faults": faults,
                        "nanoseconds": nanoseconds,
                    });
                    println!("{measured}");
                }
            }
        }
    }
}

/// `cargo bench` adds options of its own, which are for other harnesses.
fn rounds() -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--rounds");
    match arguments.nth(1) {
        Some(rounds) => rounds.parse().expect("--rounds is a number"),
        None => ROUNDS,
    }
}

/// Speed is compared only among those who see the same.
fn agree(contenders: &mut [Contender], message: &[u8], faults: usize) {
    for contender in contenders {
        let verdict = (contender.run)(message);
        let same = matches!(verdict, Verdict::Parsed) || verdict == Verdict::Faults(faults);
        assert!(
            same,
            "{} says {verdict:?} of {faults} faults in {}",
            contender.name,
            String::from_utf8_lossy(message)
        );
    }
}

/// Nanoseconds a message of each: the median of its turns.
fn take_turns(contenders: &mut [Contender], message: &[u8], rounds: usize) -> Vec<f64> {
    let repeats: Vec<u32> = contenders
        .iter_mut()
        .map(|contender| repeats(contender, message))
        .collect();
    let mut turns = vec![Vec::with_capacity(rounds); contenders.len()];
    for _ in 0..rounds {
        for (place, contender) in contenders.iter_mut().enumerate() {
            let took = turn(contender, message, repeats[place]);
            turns[place].push(took.as_nanos() as f64 / f64::from(repeats[place]));
        }
    }
    turns.into_iter().map(median).collect()
}

/// As many messages as fill a turn; trying it out also warms up.
fn repeats(contender: &mut Contender, message: &[u8]) -> u32 {
    let mut repeats = 1;
    loop {
        let took = turn(contender, message, repeats);
        if took >= TURN {
            return repeats;
        }
        repeats *= 2;
    }
}

fn turn(contender: &mut Contender, message: &[u8], repeats: u32) -> Duration {
    let begun = Instant::now();
    for _ in 0..repeats {
        black_box((contender.run)(black_box(message)));
    }
    begun.elapsed()
}

fn median(mut turns: Vec<f64>) -> f64 {
    turns.sort_by(f64::total_cmp);
    turns[turns.len() / 2]
}
