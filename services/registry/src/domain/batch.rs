//! Which devices a batch makes.

use std::collections::HashMap;

use alink::DeviceName;
use chassis::Fault;

use super::secret;

/// Devices made by one request, at most.
const LARGEST: usize = 10_000;

/// Judges a batch: the names in the order asked for, or everything that is wrong with it.
/// It says either the names, or how many are to be generated.
pub(crate) fn judge(names: &[String], count: Option<u32>) -> Result<Vec<String>, Vec<Fault>> {
    match count {
        Some(_) if !names.is_empty() => Err(vec![Fault::new(
            "/count",
            "give either deviceNames or count, not both",
        )]),
        Some(count) if (1..=LARGEST).contains(&(count as usize)) => Ok(generated(count as usize)),
        Some(count) => Err(vec![Fault::new(
            "/count",
            format!("must be 1 to {LARGEST}, is {count}"),
        )]),
        None if names.is_empty() => Err(vec![Fault::new(
            "/deviceNames",
            "give either deviceNames, at least one, or count",
        )]),
        None if names.len() > LARGEST => Err(vec![Fault::new(
            "/deviceNames",
            format!(
                "at most {LARGEST} in one request, there are {}",
                names.len()
            ),
        )]),
        None => chosen(names),
    }
}

/// The faults of names that another device of the product has: `taken` is asked for each.
pub(crate) fn taken_faults(names: &[String], taken: impl Fn(&str) -> bool) -> Vec<Fault> {
    names
        .iter()
        .enumerate()
        .filter(|(_, name)| taken(name))
        .map(|(at, name)| fault(at, format!("the product already has a device {name}")))
        .collect()
}

fn generated(count: usize) -> Vec<String> {
    std::iter::repeat_with(secret::device_name)
        .take(count)
        .collect()
}

fn chosen(names: &[String]) -> Result<Vec<String>, Vec<Fault>> {
    let mut first = HashMap::with_capacity(names.len());
    let mut faults = Vec::new();
    for (at, name) in names.iter().enumerate() {
        if let Err(error) = name.parse::<DeviceName>() {
            faults.push(fault(at, error.to_string()));
        } else if let Some(before) = first.insert(name.as_str(), at) {
            faults.push(fault(
                at,
                format!("{name} is already at /deviceNames/{before}"),
            ));
        }
    }
    if faults.is_empty() {
        Ok(names.to_vec())
    } else {
        Err(faults)
    }
}

fn fault(at: usize, message: String) -> Fault {
    Fault::new(format!("/deviceNames/{at}"), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn every_fault_of_a_batch_is_told_at_once() {
        let many = vec!["pump-1".to_owned(); LARGEST + 1];
        for (given, count, pointers) in [
            (names(&["pump-1", "pump-2"]), None, &[][..]),
            (names(&[]), Some(10_000), &[]),
            (names(&[]), Some(10_001), &["/count"]),
            (names(&[]), Some(0), &["/count"]),
            (names(&["pump-1"]), Some(1), &["/count"]),
            (names(&[]), None, &["/deviceNames"]),
            (many, None, &["/deviceNames"]),
            (
                names(&["pump-1", "no", "pump-1", "pump-3", "a/bcd"]),
                None,
                &["/deviceNames/1", "/deviceNames/2", "/deviceNames/4"],
            ),
        ] {
            let faults = judge(&given, count).err().unwrap_or_default();
            let found: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
            assert_eq!(found, pointers, "{count:?}");
        }
    }

    #[test]
    fn generated_names_are_as_many_as_asked_for_and_all_different() {
        let made = judge(&[], Some(500)).unwrap();
        let different: std::collections::HashSet<_> = made.iter().collect();
        assert_eq!(different.len(), 500);
    }

    #[test]
    fn a_taken_name_is_pointed_at() {
        let given = names(&["pump-1", "pump-2", "pump-3"]);
        let faults = taken_faults(&given, |name| name == "pump-2");
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].pointer, "/deviceNames/1");
    }
}
