//! Models and messages made by chance, from one seed. Messages are mostly good, so that each
//! fault is met in good company.

use std::fmt::Write;

use thing_model::{DataType, Parameter, PropertyDefinition};

use crate::support::{NOW_MS, document_of, parameter, property};

/// A message's value in the order and with the repetitions that it is written with.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A number as it is written.
    Number(String),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

pub(crate) struct Chance(u64);

const NUMBERS: [&str; 26] = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "7",
    "10",
    "9.5",
    "5.0",
    "1e1",
    "100e-2",
    "-0",
    "-0.0",
    "1.5",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "3.4028235e38",
    "3.5e38",
    "1e39",
    "1e308",
    "1e400",
    "-1e400",
    "123456789012345678901234567890",
    "0.30000000000000004",
];

const TEXTS: [&str; 12] = [
    "",
    "a",
    "west",
    "exactly8",
    "é",
    "😀",
    "a\nb\"c\\d/",
    "1700000000000",
    "0",
    "253402300799999",
    "253402300800000",
    "longer than any text may be, with é and 😀",
];

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<'s>(&mut self, from: &[&'s str]) -> &'s str {
        from[self.below(from.len())]
    }

    pub(crate) fn document(&mut self) -> String {
        let properties: Vec<String> = (0..self.below(7))
            .map(|index| {
                let access = self.pick(&["r", "rw"]);
                let data_type = self.data_type(true);
                property(&format!("p{index}"), access, &data_type)
            })
            .collect();
        let outputs = self.parameter_list();
        let inputs = self.parameter_list();
        let event =
            format!(r#"[{{"identifier":"E","name":"E","type":"info","outputData":[{outputs}]}}]"#);
        let service = format!(
            r#"[{{"identifier":"S","name":"S","callType":"sync","inputData":[{inputs}]}}]"#
        );
        document_of(&format!("[{}]", properties.join(",")), &event, &service)
    }

    /// Often with the names of the wrapped form.
    fn parameter_list(&mut self) -> String {
        let names: Vec<&str> = match self.below(5) {
            0 => vec!["value"],
            1 => vec!["value", "time"],
            2 => vec!["value", "x"],
            _ => ["a", "b", "c", "d"][..self.below(5)].to_vec(),
        };
        let list: Vec<String> = names
            .into_iter()
            .map(|name| {
                let required = self.one_in(3);
                let data_type = self.data_type(true);
                parameter(name, required, &data_type)
            })
            .collect();
        list.join(",")
    }

    fn data_type(&mut self, deep: bool) -> String {
        match self.below(if deep { 9 } else { 7 }) {
            0 => self.pick(&[
                r#"{"type":"int","specs":{"min":"0","max":"10"}}"#,
                r#"{"type":"int","specs":{}}"#,
            ]),
            1 => self.pick(&[
                r#"{"type":"float","specs":{"min":"-1.5","max":9.5}}"#,
                r#"{"type":"float","specs":{"max":"3.4028235E38"}}"#,
            ]),
            2 => self.pick(&[
                r#"{"type":"double","specs":{"min":"0","max":"1e1"}}"#,
                r#"{"type":"double"}"#,
            ]),
            3 => r#"{"type":"bool","specs":{"0":"off","1":"on"}}"#,
            4 => r#"{"type":"enum","specs":{"0":"a","3":"b","-1":"c"}}"#,
            5 => self.pick(&[
                r#"{"type":"text","specs":{"length":"8"}}"#,
                r#"{"type":"text","specs":{"length":"3"}}"#,
            ]),
            6 => r#"{"type":"date","specs":{}}"#,
            7 => {
                let members = self.members();
                return format!(r#"{{"type":"struct","specs":{members}}}"#);
            }
            _ => {
                let size = 1 + self.below(4);
                let item = match self.below(5) {
                    0 => r#"{"type":"int"}"#.to_owned(),
                    1 => r#"{"type":"float"}"#.to_owned(),
                    2 => r#"{"type":"double"}"#.to_owned(),
                    3 => r#"{"type":"text"}"#.to_owned(),
                    _ => format!(r#"{{"type":"struct","specs":{}}}"#, self.members()),
                };
                return format!(r#"{{"type":"array","specs":{{"size":"{size}","item":{item}}}}}"#);
            }
        }
        .to_owned()
    }

    fn members(&mut self) -> String {
        let names: &[&str] = match self.below(5) {
            0 => &["value"],
            1 => &["value", "time"],
            2 => &["time"],
            _ => &["m", "n"],
        };
        let members: Vec<String> = names
            .iter()
            .map(|name| {
                let data_type = self.data_type(false);
                parameter(name, false, &data_type)
            })
            .collect();
        format!("[{}]", members.join(","))
    }

    pub(crate) fn report(&mut self, properties: &[PropertyDefinition]) -> Value {
        let fields: Vec<(&str, &DataType)> = properties
            .iter()
            .map(|property| (property.identifier.as_str(), &property.data_type))
            .collect();
        self.object(&fields, true, 3)
    }

    pub(crate) fn parameters(&mut self, parameters: &[Parameter]) -> Value {
        self.object(&fields(parameters), false, 4)
    }

    pub(crate) fn event(&mut self, outputs: &[Parameter]) -> Value {
        let outputs = self.parameters(outputs);
        if self.one_in(2) {
            outputs
        } else {
            self.wrap(outputs)
        }
    }

    fn object(&mut self, fields: &[(&str, &DataType)], wrapped: bool, left_out: usize) -> Value {
        let mut members = Vec::new();
        for (name, data_type) in fields {
            if self.one_in(left_out) {
                continue;
            }
            let value = self.value(data_type);
            let value = if wrapped && self.one_in(2) {
                self.wrap(value)
            } else {
                value
            };
            members.push(((*name).to_owned(), value));
        }
        if self.one_in(6) && members.len() > 1 {
            let last = members.len() - 1;
            let place = self.below(last);
            members.swap(place, last);
        }
        if self.one_in(12) {
            let name = self.pick(&["x", "unknown", "a/b~c", "é"]).to_owned();
            members.push((name, self.any(2)));
        }
        if self.one_in(16) && !members.is_empty() {
            let place = self.below(members.len());
            let again = members[place].clone();
            members.push(again);
        }
        Value::Object(members)
    }

    fn wrap(&mut self, value: Value) -> Value {
        let mut members = vec![("value".to_owned(), value)];
        if self.one_in(2) {
            let late = (NOW_MS + 100_000_000).to_string();
            let texts = ["5", "1700000000000", "1.7e12", "-1", "1.5", "1e400", &late];
            let time = if self.one_in(2) {
                1
            } else {
                self.below(texts.len())
            };
            let time = texts[time].to_owned();
            let time = if self.one_in(5) {
                Value::Text(time)
            } else {
                Value::Number(time)
            };
            members.push(("time".to_owned(), time));
        }
        match self.below(24) {
            0 => members.reverse(),
            1 => members.push(("value".to_owned(), self.any(1))),
            2 => members.push(("time".to_owned(), Value::Number("7".to_owned()))),
            3 => members.push(("x".to_owned(), Value::Null)),
            4 => drop(members.remove(0)),
            _ => {}
        }
        Value::Object(members)
    }

    /// Mostly good.
    fn value(&mut self, data_type: &DataType) -> Value {
        if self.one_in(10) {
            return self.any(2);
        }
        match data_type {
            DataType::Text { .. } | DataType::Date => Value::Text(self.pick(&TEXTS).to_owned()),
            DataType::Struct(members) => self.object(&fields(members), false, 20),
            DataType::Array { size, item } => {
                let count = self.below(size + 1) + usize::from(self.one_in(12));
                Value::List((0..count).map(|_| self.value(item)).collect())
            }
            DataType::Bool => Value::Number(self.pick(&["0", "1", "1.0"]).to_owned()),
            _ if self.one_in(2) => Value::Number(self.pick(&["0", "3", "-1", "3.0"]).to_owned()),
            _ => Value::Number(self.pick(&NUMBERS).to_owned()),
        }
    }

    fn any(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => Value::Bool(self.one_in(2)),
            2 | 3 => Value::Number(self.pick(&NUMBERS).to_owned()),
            4 => Value::Text(self.pick(&TEXTS).to_owned()),
            5 => Value::List((0..self.below(3)).map(|_| self.any(depth - 1)).collect()),
            _ => Value::Object(
                ["value", "m", "time"][..self.below(4)]
                    .iter()
                    .map(|name| ((*name).to_owned(), self.any(depth - 1)))
                    .collect(),
            ),
        }
    }

    /// The message as JSON, at times with spaces and with needless escapes.
    pub(crate) fn write(&mut self, value: &Value) -> String {
        let mut text = String::new();
        let plain = self.one_in(2);
        self.put(value, plain, &mut text);
        text
    }

    fn put(&mut self, value: &Value, plain: bool, text: &mut String) {
        self.space(plain, text);
        match value {
            Value::Null => text.push_str("null"),
            Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
            Value::Number(number) => text.push_str(number),
            Value::Text(said) => self.quote(said, plain, text),
            Value::List(elements) => {
                text.push('[');
                for (index, element) in elements.iter().enumerate() {
                    text.push_str(if index > 0 { "," } else { "" });
                    self.put(element, plain, text);
                }
                text.push(']');
            }
            Value::Object(members) => {
                text.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    text.push_str(if index > 0 { "," } else { "" });
                    self.space(plain, text);
                    self.quote(name, plain, text);
                    self.space(plain, text);
                    text.push(':');
                    self.put(value, plain, text);
                }
                self.space(plain, text);
                text.push('}');
            }
        }
        self.space(plain, text);
    }

    fn space(&mut self, plain: bool, text: &mut String) {
        if !plain && self.one_in(4) {
            text.push_str(self.pick(&[" ", "\n", "\t", "\r\n  "]));
        }
    }

    fn quote(&mut self, said: &str, plain: bool, text: &mut String) {
        if plain || !self.one_in(4) {
            text.push_str(&serde_json::Value::from(said).to_string());
            return;
        }
        text.push('"');
        for unit in said.encode_utf16() {
            let _ = write!(text, "\\u{unit:04x}");
        }
        text.push('"');
    }
}

fn fields(parameters: &[Parameter]) -> Vec<(&str, &DataType)> {
    parameters
        .iter()
        .map(|one| (one.identifier.as_str(), &one.data_type))
        .collect()
}
