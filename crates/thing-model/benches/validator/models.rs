//! A thing model, the JSON Schema that says the same, and messages that both judge.

use std::fmt::Write;

/// Every ninth property has a fault in a faulty message, wherever a type stands in the cycle.
const FAULT_EVERY: usize = 9;

/// The types of a model's properties, again and again: already the first five hold a struct and an array.
const TYPES: [&Type; 10] = [
    &INT, &FLOAT, &TEXT, &STRUCT, &ARRAY, &DOUBLE, &BOOL, &ENUM, &DATE, &FLOAT,
];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    Plain,
    /// `{"value":…,"time":…}`
    Timed,
}

/// One data type, as the two validators are told of it, with a value of it and one with a single fault.
struct Type {
    model: &'static str,
    schema: &'static str,
    good: &'static str,
    bad: &'static str,
}

const INT: Type = Type {
    model: r#"{"type":"int","specs":{"min":"0","max":"1000000","step":"1"}}"#,
    schema: r#"{"type":"integer","minimum":0,"maximum":1000000}"#,
    good: "40217",
    bad: "1000001",
};
const FLOAT: Type = Type {
    model: r#"{"type":"float","specs":{"min":"-50","max":"1200","step":"0.1"}}"#,
    schema: r#"{"type":"number","minimum":-50,"maximum":1200}"#,
    good: "611.5",
    bad: r#""warm""#,
};
const DOUBLE: Type = Type {
    model: r#"{"type":"double","specs":{"min":"0","max":"1000000000","step":"0.001"}}"#,
    schema: r#"{"type":"number","minimum":0,"maximum":1000000000}"#,
    good: "1834.257",
    bad: "-0.5",
};
const TEXT: Type = Type {
    model: r#"{"type":"text","specs":{"length":"32"}}"#,
    schema: r#"{"type":"string","maxLength":32}"#,
    good: r#""boiler house, west wing""#,
    bad: r#""boiler house, west wing, second cellar""#,
};
const BOOL: Type = Type {
    model: r#"{"type":"bool","specs":{"0":"off","1":"on"}}"#,
    schema: r#"{"enum":[0,1]}"#,
    good: "1",
    bad: "2",
};
const ENUM: Type = Type {
    model: r#"{"type":"enum","specs":{"0":"auto","1":"manual","2":"defrost"}}"#,
    schema: r#"{"enum":[0,1,2]}"#,
    good: "2",
    bad: "7",
};
const DATE: Type = Type {
    model: r#"{"type":"date","specs":{}}"#,
    schema: r#"{"type":"string","pattern":"^[0-9]{1,15}$"}"#,
    good: r#""1699000000000""#,
    bad: r#""yesterday""#,
};
const STRUCT: Type = Type {
    model: r#"{"type":"struct","specs":[
        {"identifier":"temp","name":"Temperature","dataType":{"type":"float","specs":{"min":"-50","max":"1200","step":"0.1"}}},
        {"identifier":"lit","name":"Lit","dataType":{"type":"bool","specs":{"0":"no","1":"yes"}}},
        {"identifier":"hours","name":"Hours","dataType":{"type":"int","specs":{"min":"0","max":"100000","step":"1"}}}]}"#,
    schema: r#"{"type":"object","additionalProperties":false,"required":["temp","lit","hours"],"properties":{
        "temp":{"type":"number","minimum":-50,"maximum":1200},"lit":{"enum":[0,1]},
        "hours":{"type":"integer","minimum":0,"maximum":100000}}}"#,
    good: r#"{"temp":611.5,"lit":1,"hours":1290}"#,
    bad: r#"{"temp":1611.5,"lit":1,"hours":1290}"#,
};
const ARRAY: Type = Type {
    model: r#"{"type":"array","specs":{"size":"8","item":{"type":"float"}}}"#,
    schema: r#"{"type":"array","maxItems":8,"items":{"type":"number"}}"#,
    good: "[41.0,44.5,44.9,45.2]",
    bad: r#"[41.0,"?",44.9,45.2]"#,
};

/// The thing model's document.
pub(crate) fn document(properties: usize) -> String {
    let listed = list(properties, |out, index, data_type| {
        write!(
            out,
            r#"{{"identifier":"{}","name":"Property {index}","accessMode":"r","required":false,"dataType":{}}}"#,
            name(index),
            data_type.model
        )
    });
    format!(
        r#"{{"profile":{{"productKey":"a1B2c3D4e5F"}},"properties":[{listed}],"events":[],"services":[]}}"#
    )
}

/// The same for one form alone: a schema that takes either would cost `jsonschema` another look at each value.
pub(crate) fn schema(properties: usize, form: Form) -> String {
    let listed = list(properties, |out, index, data_type| {
        let value = data_type.schema;
        write!(out, r#""{}":"#, name(index))?;
        match form {
            Form::Plain => write!(out, "{value}"),
            Form::Timed => write!(
                out,
                r#"{{"type":"object","additionalProperties":false,"required":["value"],"properties":{{
                    "value":{value},"time":{{"type":"integer","minimum":0}}}}}}"#
            ),
        }
    });
    format!(r#"{{"type":"object","additionalProperties":false,"properties":{{{listed}}}}}"#)
}

/// The `params` of a report of all properties, in the model's order as devices send it.
pub(crate) fn message(properties: usize, form: Form, faulty: bool) -> String {
    let listed = list(properties, |out, index, data_type| {
        let value = if faulty && has_fault(index) {
            data_type.bad
        } else {
            data_type.good
        };
        write!(out, r#""{}":"#, name(index))?;
        match form {
            Form::Plain => write!(out, "{value}"),
            Form::Timed => write!(out, r#"{{"value":{value},"time":1699999999000}}"#),
        }
    });
    format!("{{{listed}}}")
}

pub(crate) fn faults(properties: usize, faulty: bool) -> usize {
    (0..properties)
        .filter(|index| faulty && has_fault(*index))
        .count()
}

fn has_fault(index: usize) -> bool {
    index % FAULT_EVERY == 1
}

fn name(index: usize) -> String {
    const WORDS: [&str; 5] = ["cycles", "pressure", "label", "flame", "stages"];
    format!("{}_{index}", WORDS[index % WORDS.len()])
}

fn list(properties: usize, one: impl Fn(&mut String, usize, &Type) -> std::fmt::Result) -> String {
    let mut out = String::new();
    for index in 0..properties {
        if index > 0 {
            out.push(',');
        }
        one(&mut out, index, TYPES[index % TYPES.len()]).expect("a String takes everything");
    }
    out
}
