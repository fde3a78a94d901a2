//! The rules of the protocol page and of codes.md once more, slow and plain, over a tree.

use std::collections::HashSet;

use thing_model::{Access, DataType, FunctionBlock, Parameter};

use crate::chance::Value;
use crate::support::NOW_MS;

pub(crate) type Faults = Vec<(String, u32)>;

/// By the order of codes.md, else as found.
pub(crate) fn in_order(faults: &Faults) -> Faults {
    let order = |code: u32| match code {
        6207 => 0,
        6450 | 6300 => 1,
        6106 => 2,
        6302 => 4,
        _ => 3,
    };
    let mut sorted = faults.clone();
    sorted.sort_by_key(|(_, code)| order(*code));
    sorted
}

pub(crate) fn post(block: &FunctionBlock, message: &Value) -> Faults {
    let mut faults = Vec::new();
    each_once(
        message,
        "",
        &mut faults,
        |name, value, at, faults| match block
            .properties
            .iter()
            .find(|property| property.identifier == name)
        {
            None => faults.push((at, 6320)),
            Some(property) => reported(&property.data_type, value, &at, faults),
        },
    );
    faults
}

pub(crate) fn set(block: &FunctionBlock, message: &Value) -> Faults {
    let mut faults = Vec::new();
    if matches!(message, Value::Object(members) if members.is_empty()) {
        faults.push((String::new(), 460));
    }
    each_once(message, "", &mut faults, |name, value, at, faults| {
        let Some(property) = block.properties.iter().find(|one| one.identifier == name) else {
            return faults.push((at, 6320));
        };
        if property.access == Access::Read {
            faults.push((at.clone(), 460));
        }
        judge(&property.data_type, value, &at, faults);
    });
    faults
}

pub(crate) fn parameters(known: &[Parameter], message: &Value) -> Faults {
    let mut faults = Vec::new();
    parameters_at(known, message, "", &mut faults);
    faults
}

pub(crate) fn event(known: &[Parameter], message: &Value) -> Faults {
    let mut faults = Vec::new();
    let Value::Object(members) = message else {
        panic!("events are objects")
    };
    let last = members.iter().rev().find(|(name, _)| name == "value");
    let of_object = matches!(last, Some((_, Value::Object(_))));
    if is_wrapped(members) && of_object && !is_exactly(members, known) {
        unwrap(members, "", &mut faults, |value, at, faults| {
            parameters_at(known, value, at, faults);
        });
    } else {
        parameters_at(known, message, "", &mut faults);
    }
    faults
}

fn parameters_at(known: &[Parameter], message: &Value, at: &str, faults: &mut Faults) {
    let mut missing: Vec<&Parameter> = known.iter().filter(|one| one.required).collect();
    each_once(message, at, faults, |name, value, at, faults| {
        missing.retain(|one| one.identifier != name);
        match known.iter().find(|one| one.identifier == name) {
            None => faults.push((at, 6304)),
            Some(one) => judge(&one.data_type, value, &at, faults),
        }
    });
    faults.extend(
        missing
            .iter()
            .map(|one| (format!("{at}/{}", one.identifier), 6302)),
    );
}

/// Every member with its pointer; one that was there before is 6207 and passed over.
fn each_once(
    object: &Value,
    at: &str,
    faults: &mut Faults,
    mut each: impl FnMut(&str, &Value, String, &mut Faults),
) {
    let Value::Object(members) = object else {
        panic!("not an object: {object:?}")
    };
    let mut before = HashSet::new();
    for (name, value) in members {
        let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        if before.insert(name) {
            each(name, value, at, faults)
        } else {
            faults.push((at, 6207))
        }
    }
}

fn names(members: &[(String, Value)]) -> HashSet<&str> {
    members.iter().map(|(name, _)| name.as_str()).collect()
}

fn is_wrapped(members: &[(String, Value)]) -> bool {
    let names = names(members);
    names.contains("value") && names.iter().all(|name| ["value", "time"].contains(name))
}

fn is_exactly(members: &[(String, Value)], known: &[Parameter]) -> bool {
    names(members) == known.iter().map(|one| one.identifier.as_str()).collect()
}

fn reported(data_type: &DataType, value: &Value, at: &str, faults: &mut Faults) {
    if let Value::Object(members) = value {
        let itself = matches!(data_type, DataType::Struct(known) if is_exactly(members, known));
        if is_wrapped(members) && !itself {
            return unwrap(members, at, faults, |value, at, faults| {
                judge(data_type, value, at, faults);
            });
        }
    }
    judge(data_type, value, at, faults);
}

/// Of repeated members the last is judged, where it stands.
fn unwrap(
    members: &[(String, Value)],
    at: &str,
    faults: &mut Faults,
    mut each: impl FnMut(&Value, &str, &mut Faults),
) {
    for name in ["value", "time"] {
        if members.iter().filter(|(other, _)| other == name).count() > 1 {
            faults.push((format!("{at}/{name}"), 6207));
        }
    }
    for (index, (name, value)) in members.iter().enumerate() {
        if members[index + 1..].iter().any(|(later, _)| later == name) {
            continue;
        }
        let at = format!("{at}/{name}");
        if name == "value" {
            each(value, &at, faults);
        } else if !is_time(value) {
            faults.push((at, 460));
        }
    }
}

fn is_time(value: &Value) -> bool {
    let latest = (NOW_MS + 86_400_000) as f64;
    match value {
        Value::Number(number) => whole(number).is_some_and(|time| (0.0..=latest).contains(&time)),
        Value::Text(text) => is_date(text) && text.parse::<f64>().is_ok_and(|time| time <= latest),
        _ => false,
    }
}

fn is_date(text: &str) -> bool {
    let digits = !text.is_empty() && text.chars().all(|letter| letter.is_ascii_digit());
    digits
        && text
            .parse::<u64>()
            .is_ok_and(|time| time <= 253_402_300_799_999)
}

fn whole(number: &str) -> Option<f64> {
    number
        .parse::<f64>()
        .ok()
        .filter(|number| number.fract() == 0.0)
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.parse().ok(),
        _ => None,
    }
}

/// Pushes the faults of a value.
fn judge(data_type: &DataType, value: &Value, at: &str, faults: &mut Faults) {
    let at = || at.to_owned();
    let wanted = |good: bool, code: u32, faults: &mut Faults| {
        if !good {
            faults.push((at(), code));
        }
    };
    let whole = || number(value).filter(|number| number.fract() == 0.0);
    match data_type {
        DataType::Int { min, max } => {
            let fits = |number| (f64::from(*min)..=f64::from(*max)).contains(&number);
            wanted(whole().is_some_and(fits), 6306, faults);
        }
        DataType::Float { min, max } => {
            let fits = |number: f64| (*min..=*max).contains(&number) && (number as f32).is_finite();
            wanted(number(value).is_some_and(fits), 6307, faults);
        }
        DataType::Double { min, max } => {
            let fits = |number: f64| (*min..=*max).contains(&number) && number.is_finite();
            wanted(number(value).is_some_and(fits), 6322, faults);
        }
        DataType::Bool => wanted(
            whole().is_some_and(|one| one == 0.0 || one == 1.0),
            6308,
            faults,
        ),
        DataType::Enum(values) => {
            let known = |number| values.iter().any(|value| f64::from(*value) == number);
            wanted(whole().is_some_and(known), 6309, faults);
        }
        DataType::Text { length } => {
            wanted(
                matches!(value, Value::Text(text) if text.len() <= *length),
                6310,
                faults,
            );
        }
        DataType::Date => {
            wanted(
                matches!(value, Value::Text(text) if is_date(text)),
                6311,
                faults,
            );
        }
        DataType::Struct(known) => {
            if !matches!(value, Value::Object(_)) {
                return faults.push((at(), 6312));
            }
            let mut missing: HashSet<&str> =
                known.iter().map(|one| one.identifier.as_str()).collect();
            each_once(value, &at(), faults, |name, value, at, faults| {
                missing.remove(name);
                match known.iter().find(|one| one.identifier == name) {
                    None => faults.push((at, 6304)),
                    Some(one) => judge(&one.data_type, value, &at, faults),
                }
            });
            wanted(missing.is_empty(), 6312, faults);
        }
        DataType::Array { size, item } => {
            let Value::List(elements) = value else {
                return faults.push((at(), 6328));
            };
            for (index, element) in elements.iter().enumerate() {
                let at = format!("{}/{index}", at());
                let members =
                    matches!(element, Value::Object(_)) && matches!(**item, DataType::Struct(_));
                if members {
                    judge(item, element, &at, faults);
                } else {
                    let mut own = Vec::new();
                    judge(item, element, &at, &mut own);
                    faults.extend(own.first().map(|_| (at, 6324)));
                }
            }
            wanted(elements.len() <= *size, 6324, faults);
        }
        DataType::Unusable(code) => faults.push((at(), *code)),
    }
}
