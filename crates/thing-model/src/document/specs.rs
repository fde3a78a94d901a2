//! Data types and their specifications.

use super::DataType;
use super::reader::Reader;
use crate::fault;
use crate::json::{Json, Node};
use crate::path::Path;

const STRUCT_MEMBERS: usize = 50;
const ENUM_VALUES: usize = 100;
const TEXT_BYTES: i32 = 10_240;
const ARRAY_SIZE: i32 = 512;

impl Reader<'_> {
    /// `dataType` of a property or parameter; `deep` where it may be struct or array.
    pub(super) fn data_type(&mut self, entry: &Json, deep: bool, path: &Path<'_>) -> DataType {
        let path = Path::Key(path, "dataType");
        let Some(data_type) = entry.get("dataType") else {
            return self.unusable(
                &path,
                fault::PARAMETER_TYPE,
                "dataType is missing".to_owned(),
            );
        };
        let Some(kind) = data_type.get("type").and_then(Json::text) else {
            let message = "a dataType is an object with a `type`".to_owned();
            return self.unusable(&path, fault::PARAMETER_TYPE, message);
        };
        let specs = data_type.get("specs");
        match kind {
            "struct" | "array" if !deep => {
                let message = format!("a struct's member is no {kind}");
                self.unusable(
                    &Path::Key(&path, "type"),
                    fault::TYPE_NOT_SUPPORTED,
                    message,
                )
            }
            "array" => self.array(specs, &Path::Key(&path, "specs")),
            "struct" => self.structure(specs, &Path::Key(&path, "specs")),
            kind => self.scalar(kind, specs, &path),
        }
    }

    fn unusable(&mut self, path: &Path<'_>, code: u32, message: String) -> DataType {
        self.refuse(path, code, message);
        DataType::Unusable(code)
    }

    fn scalar(&mut self, kind: &str, specs: Option<&Json>, path: &Path<'_>) -> DataType {
        let specs_path = Path::Key(path, "specs");
        let absent = matches!(specs.map(|specs| &specs.node), None | Some(Node::Null));
        let specs = if absent { None } else { specs };
        if let Some(specs) = specs
            && specs.members().is_none()
        {
            let message = format!("the specs of {kind} are an object");
            return self.unusable(&specs_path, fault::PARAMETER_TYPE, message);
        }
        match kind {
            "int" => match self.bounds(
                specs,
                whole,
                f64::from(i32::MIN),
                f64::from(i32::MAX),
                &specs_path,
            ) {
                Some((min, max)) => DataType::Int {
                    min: min as i32,
                    max: max as i32,
                },
                None => DataType::Unusable(fault::PARAMETER_UNREADABLE),
            },
            "float" => {
                let largest = f64::from(f32::MAX);
                match self.bounds(specs, single, -largest, largest, &specs_path) {
                    Some((min, max)) => DataType::Float { min, max },
                    None => DataType::Unusable(fault::PARAMETER_UNREADABLE),
                }
            }
            "double" => match self.bounds(specs, double, f64::MIN, f64::MAX, &specs_path) {
                Some((min, max)) => DataType::Double { min, max },
                None => DataType::Unusable(fault::PARAMETER_UNREADABLE),
            },
            "bool" => self.boolean(specs, &specs_path),
            "enum" => self.enumeration(specs, &specs_path),
            "text" => match self.count(specs, "length", TEXT_BYTES, &specs_path) {
                Count::Is(length) => DataType::Text { length },
                Count::Absent => DataType::Text {
                    length: TEXT_BYTES as usize,
                },
                Count::Wrong => DataType::Unusable(fault::PARAMETER_UNREADABLE),
            },
            "date" => DataType::Date,
            _ => {
                let message = format!(
                    "`{}` is none of int, float, double, bool, enum, text, date, struct, array",
                    crate::json::excerpt(kind.as_bytes()),
                );
                self.unusable(&Path::Key(path, "type"), fault::TYPE_NOT_SUPPORTED, message)
            }
        }
    }

    /// `min`, `max` and `step`; an absent bound is the type's own.
    fn bounds(
        &mut self,
        specs: Option<&Json>,
        fits: fn(f64) -> Option<f64>,
        lowest: f64,
        highest: f64,
        path: &Path<'_>,
    ) -> Option<(f64, f64)> {
        let mut good = true;
        let mut read = |name: &str, otherwise: f64| {
            let number = self.spec_number(specs, name, fits, path);
            good &= number.is_ok();
            number.ok().flatten().unwrap_or(otherwise)
        };
        let min = read("min", lowest);
        let max = read("max", highest);
        let step = match self.spec_number(specs, "step", double, path) {
            Ok(step) => step.unwrap_or(1.0),
            Err(()) => 1.0,
        };
        if step < 0.0 {
            let message = format!("the step {step} is negative");
            self.refuse(
                &Path::Key(path, "step"),
                fault::PARAMETER_UNREADABLE,
                message,
            );
        }
        if good && min > max {
            let message = format!("min {min} is above max {max}");
            self.refuse(path, fault::PARAMETER_UNREADABLE, message);
            return None;
        }
        good.then_some((min, max))
    }

    /// A number of the specs, as text or as a number; an empty text counts as absent.
    fn spec_number(
        &mut self,
        specs: Option<&Json>,
        name: &str,
        fits: fn(f64) -> Option<f64>,
        path: &Path<'_>,
    ) -> Result<Option<f64>, ()> {
        let Some(json) = specs.and_then(|specs| specs.get(name)) else {
            return Ok(None);
        };
        let number = match &json.node {
            Node::Text(text) if text.is_empty() => return Ok(None),
            Node::Text(text) => json_number(text),
            Node::Number(number) => Some(*number),
            _ => None,
        };
        match number.and_then(fits) {
            Some(number) => Ok(Some(number)),
            None => {
                let message = format!("{} is no {name} of this type", self.shown(json));
                self.refuse(&Path::Key(path, name), fault::PARAMETER_UNREADABLE, message);
                Err(())
            }
        }
    }

    /// A whole number from 1 to a limit.
    fn count(&mut self, specs: Option<&Json>, name: &str, limit: i32, path: &Path<'_>) -> Count {
        match self.spec_number(specs, name, whole, path) {
            Ok(None) => Count::Absent,
            Err(()) => Count::Wrong,
            Ok(Some(count)) if (1.0..=f64::from(limit)).contains(&count) => {
                Count::Is(count as usize)
            }
            Ok(Some(count)) => {
                let message = format!("the {name} {count} is not within 1 to {limit}");
                self.refuse(&Path::Key(path, name), fault::PARAMETER_UNREADABLE, message);
                Count::Wrong
            }
        }
    }

    /// Labels for 0 and 1, both or none.
    fn boolean(&mut self, specs: Option<&Json>, path: &Path<'_>) -> DataType {
        let labels = specs.and_then(Json::members).unwrap_or_default();
        let known = |name: &str| name == "0" || name == "1";
        if labels.iter().all(|label| known(&label.name)) && matches!(labels.len(), 0 | 2) {
            return self.labelled(labels, DataType::Bool, path);
        }
        let message = "a bool has labels for 0 and 1, and nothing else".to_owned();
        self.unusable(path, fault::PARAMETER_UNREADABLE, message)
    }

    fn enumeration(&mut self, specs: Option<&Json>, path: &Path<'_>) -> DataType {
        let labels = specs.and_then(Json::members).unwrap_or_default();
        if !(1..=ENUM_VALUES).contains(&labels.len()) {
            let message = format!(
                "an enum has 1 to {ENUM_VALUES} values, not {}",
                labels.len()
            );
            return self.unusable(path, fault::PARAMETER_UNREADABLE, message);
        }
        let mut values = Vec::with_capacity(labels.len());
        for label in labels {
            match label.name.parse::<i32>() {
                Ok(value) if value.to_string() == label.name => values.push(value),
                _ => {
                    let message = "an enum's value is a 32-bit integer".to_owned();
                    let path = Path::Key(path, &label.name);
                    self.refuse(&path, fault::PARAMETER_UNREADABLE, message);
                }
            }
        }
        if values.len() < labels.len() {
            return DataType::Unusable(fault::PARAMETER_UNREADABLE);
        }
        values.sort_unstable();
        self.labelled(labels, DataType::Enum(values), path)
    }

    fn labelled(
        &mut self,
        labels: &[crate::json::Member],
        data_type: DataType,
        path: &Path<'_>,
    ) -> DataType {
        for label in labels {
            if label.value.text().is_none() {
                let message = format!("the label {} is no text", self.shown(&label.value));
                let path = Path::Key(path, &label.name);
                self.refuse(&path, fault::PARAMETER_TYPE, message);
            }
        }
        data_type
    }

    fn structure(&mut self, specs: Option<&Json>, path: &Path<'_>) -> DataType {
        let Some(members) = specs.and_then(Json::elements) else {
            let message = "the specs of a struct are an array of its members".to_owned();
            return self.unusable(path, fault::PARAMETER_TYPE, message);
        };
        if !(1..=STRUCT_MEMBERS).contains(&members.len()) {
            let message = format!(
                "a struct has 1 to {STRUCT_MEMBERS} members, not {}",
                members.len()
            );
            return self.unusable(path, fault::PARAMETER_UNREADABLE, message);
        }
        DataType::Struct(self.parameter_list(members, false, path))
    }

    fn array(&mut self, specs: Option<&Json>, path: &Path<'_>) -> DataType {
        let size = match self.count(specs, "size", ARRAY_SIZE, path) {
            Count::Is(size) => Some(size),
            Count::Wrong => None,
            Count::Absent => {
                let message = "the size is missing".to_owned();
                self.refuse(&Path::Key(path, "size"), fault::ARRAY_UNREADABLE, message);
                None
            }
        };
        let path = Path::Key(path, "item");
        let item = specs.and_then(|specs| specs.get("item"));
        let Some(item) = item.filter(|item| item.get("type").and_then(Json::text).is_some()) else {
            let message = "an array has an `item` with a `type`".to_owned();
            return self.unusable(&path, fault::ARRAY_UNREADABLE, message);
        };
        let kind = item.get("type").and_then(Json::text).unwrap_or_default();
        let specs = item.get("specs");
        let item = match kind {
            "int" | "float" | "double" | "text" => self.scalar(kind, specs, &path),
            "struct" => self.structure(specs, &Path::Key(&path, "specs")),
            _ => {
                let message = "an array's items are int, float, double, text or struct".to_owned();
                self.unusable(&Path::Key(&path, "type"), fault::ELEMENT_TYPE, message)
            }
        };
        match (size, item) {
            (_, DataType::Unusable(code)) => DataType::Unusable(code),
            (None, _) => DataType::Unusable(fault::ARRAY_UNREADABLE),
            (Some(size), item) => DataType::Array {
                size,
                item: Box::new(item),
            },
        }
    }
}

enum Count {
    Is(usize),
    Absent,
    Wrong,
}

fn json_number(text: &str) -> Option<f64> {
    match crate::json::parse(text.trim().as_bytes()).ok()?.node {
        Node::Number(number) => Some(number),
        _ => None,
    }
}

fn whole(number: f64) -> Option<f64> {
    let fits = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
    (fits && number.fract() == 0.0).then_some(number)
}

/// A float's bound: what a 32-bit float can round to (Java writes its largest one a little
/// larger than it is).
fn single(number: f64) -> Option<f64> {
    (number as f32).is_finite().then_some(number)
}

fn double(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}
