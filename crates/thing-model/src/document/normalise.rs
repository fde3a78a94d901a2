//! The text of a document as it is kept and handed out: the one that was given, with the
//! product's key and the three generated entries. All else stays as it was written.

use std::borrow::Cow;

use super::features::{GENERATED_EVENTS, GENERATED_SERVICES, is_generated};
use crate::fault::{self, Fault, Rejected};
use crate::json::{self, Json, Span};

/// Puts the product's key into `profile.productKey` and the generated entries first into
/// `events` and `services`, in place of any that are there; likewise in every function block.
/// Doing it again changes nothing. Fails, with 6318, only on a text that is no JSON object.
pub fn normalise(document: &[u8], product_key: &str) -> Result<String, Rejected> {
    let root = json::parse(document).map_err(|syntax| unreadable(syntax.to_string()))?;
    let text = std::str::from_utf8(document)
        .map_err(|error| unreadable(format!("not UTF-8 at byte {}", error.valid_up_to())))?;
    if root.members().is_none() {
        return Err(unreadable("a document is a JSON object".to_owned()));
    }
    let mut edits = Edits {
        text,
        list: Vec::new(),
    };
    edits.product_key(&root, product_key);
    edits.generated(&root);
    for block in root
        .get("functionBlocks")
        .and_then(Json::elements)
        .unwrap_or_default()
    {
        if block.members().is_some() {
            edits.generated(block);
        }
    }
    Ok(edits.apply())
}

fn unreadable(message: String) -> Rejected {
    let fault = Fault {
        pointer: String::new(),
        code: fault::MODEL_UNREADABLE,
        message,
    };
    Rejected {
        faults: vec![fault],
        total: 1,
    }
}

/// Pieces of the text with what takes their place.
struct Edits<'t> {
    text: &'t str,
    list: Vec<(Span, String)>,
}

impl<'t> Edits<'t> {
    fn raw(&self, json: &Json) -> &'t str {
        &self.text[json.span.range()]
    }

    fn product_key(&mut self, root: &Json, product_key: &str) {
        let key = quoted(product_key);
        match root.get("profile") {
            None => self.insert(root, true, format!("\"profile\":{{\"productKey\":{key}}}")),
            Some(profile) if profile.members().is_none() => {
                self.list
                    .push((profile.span, format!("{{\"productKey\":{key}}}")));
            }
            Some(profile) => match profile.get("productKey") {
                None => self.insert(profile, true, format!("\"productKey\":{key}")),
                Some(old) => self.list.push((old.span, key)),
            },
        }
    }

    /// Adds a member to an object, first or last.
    fn insert(&mut self, object: &Json, first: bool, member: String) {
        let empty = object.members().is_none_or(<[json::Member]>::is_empty);
        let at = if first || empty {
            object.span.start + 1
        } else {
            object.span.end - 1
        };
        let span = Span { start: at, end: at };
        // What was put at the same place before was put there last: objects are edited one after the other.
        let after_another = self.list.last().is_some_and(|(other, _)| *other == span);
        let follows = !first && (!empty || after_another);
        let text = match (first && !empty, follows) {
            (true, _) => format!("{member},"),
            (_, true) => format!(",{member}"),
            _ => member,
        };
        self.list.push((span, text));
    }

    fn generated(&mut self, block: &Json) {
        let properties = block
            .get("properties")
            .and_then(Json::elements)
            .unwrap_or_default();
        let all = self.parameters(properties, |_| true);
        let writable = self.parameters(properties, |property| {
            property.get("accessMode").and_then(Json::text) == Some("rw")
        });
        let names: Vec<&str> = properties
            .iter()
            .filter_map(|property| property.get("identifier"))
            .map(|identifier| self.raw(identifier))
            .collect();
        let names = names.join(",");
        let post = format!(
            "{{\"identifier\":\"post\",\"name\":\"post\",\"type\":\"info\",\"required\":true,\
             \"desc\":\"Property report\",\"method\":\"thing.event.property.post\",\"outputData\":[{all}]}}"
        );
        let set = format!(
            "{{\"identifier\":\"set\",\"name\":\"set\",\"required\":true,\"callType\":\"async\",\
             \"desc\":\"Property set\",\"method\":\"thing.service.property.set\",\"inputData\":[{writable}],\"outputData\":[]}}"
        );
        let get = format!(
            "{{\"identifier\":\"get\",\"name\":\"get\",\"required\":true,\"callType\":\"async\",\
             \"desc\":\"Property get\",\"method\":\"thing.service.property.get\",\"inputData\":[{names}],\"outputData\":[{all}]}}"
        );
        self.entries(block, "events", &GENERATED_EVENTS, vec![post]);
        self.entries(block, "services", &GENERATED_SERVICES, vec![set, get]);
    }

    /// Properties as parameters of a generated entry, in their own text.
    fn parameters(&self, properties: &[Json], wanted: impl Fn(&Json) -> bool) -> String {
        let raw = |property: &Json, name| property.get(name).map_or("null", |json| self.raw(json));
        let parameters: Vec<String> = properties
            .iter()
            .filter(|property| wanted(property))
            .map(|property| {
                format!(
                    "{{\"identifier\":{},\"name\":{},\"dataType\":{}}}",
                    raw(property, "identifier"),
                    raw(property, "name"),
                    raw(property, "dataType"),
                )
            })
            .collect();
        parameters.join(",")
    }

    fn entries(&mut self, block: &Json, name: &str, generated: &[&str], new: Vec<String>) {
        let old = block.get(name);
        let kept = old
            .and_then(Json::elements)
            .unwrap_or_default()
            .iter()
            .filter(|entry| !is_generated(entry, generated))
            .map(|entry| Cow::Borrowed(self.raw(entry)));
        let entries: Vec<Cow<'_, str>> = new.into_iter().map(Cow::Owned).chain(kept).collect();
        let list = format!("[{}]", entries.join(","));
        match old {
            Some(old) => self.list.push((old.span, list)),
            None => self.insert(block, false, format!("\"{name}\":{list}")),
        }
    }

    fn apply(mut self) -> String {
        // Stable: what is put at the same place stays in the order of asking.
        self.list.sort_by_key(|(span, _)| span.start);
        let mut out = String::with_capacity(self.text.len() * 2);
        let mut done = 0;
        for (span, text) in &self.list {
            out.push_str(&self.text[done..span.start]);
            out.push_str(text);
            done = span.end;
        }
        out.push_str(&self.text[done..]);
        out
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
