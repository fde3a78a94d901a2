//! What `make test` knows of fuzzing: the kept inputs, and a bounded number of changes of them.

mod change;

use std::{fs, path::Path, time::Duration, time::Instant};

use proptest::{prelude::*, sample::Index, test_runner::TestRunner};

/// Changes of the corpus per target; of those that fail the smallest is shown.
const CASES: u32 = 4096;
/// One input that takes so long is a hang, on a busy machine and unoptimised too.
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn no_stranger_breaks_an_mqtt_connection() {
    stands("mqtt", fuzz::mqtt);
}

#[test]
fn no_credentials_break_the_door() {
    stands("connect", fuzz::connect);
}

#[test]
fn no_filter_brings_a_topic_of_another_device() {
    stands("topics", fuzz::topics);
}

#[test]
fn no_payload_breaks_an_envelope() {
    stands("envelopes", fuzz::envelopes);
}

#[test]
fn no_document_breaks_its_reader() {
    stands("documents", fuzz::documents);
}

#[test]
fn no_message_breaks_its_judge() {
    stands("messages", fuzz::messages);
}

#[test]
fn no_batch_breaks_its_consumer() {
    stands("batches", fuzz::batches);
}

fn stands(target: &str, run: fn(&[u8])) {
    let corpus = corpus(target);
    let timed = |input: &[u8]| {
        let begun = Instant::now();
        run(input);
        let took = begun.elapsed();
        assert!(took < PATIENCE, "it took {took:?}");
    };
    for (name, input) in &corpus {
        println!("{target}/{name}"); // shown if it panics
        timed(input);
    }
    let changed = (any::<Index>(), prop::collection::vec(change::any(), 1..6));
    let mut runner = TestRunner::new(ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let input = changed.prop_map(|(of, changes)| {
        let (_, kept) = of.get(&corpus);
        let mut input = kept.clone();
        for change in changes {
            change.make(&mut input, &corpus);
        }
        input
    });
    let found = runner.run(&input, |input| {
        timed(&input);
        Ok(())
    });
    if let Err(error) = found {
        panic!("{error}");
    }
}

/// Inputs by their names, in one order on every machine.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let entries = fs::read_dir(&folder).expect("a corpus is kept of every target");
    let mut inputs: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("a readable folder").path();
            let name = path
                .file_name()
                .expect("a file")
                .to_string_lossy()
                .into_owned();
            (name, fs::read(&path).expect("a readable input"))
        })
        .collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    inputs
}
