//! Reads the top of a document, and what all of its parts need: members with the right
//! kind of value, lists, limits, and a fault for what is not so.

use std::collections::HashSet;

use super::features::generated_bytes;
use super::identifier::{self, LONGEST_BLOCK};
use super::{Document, FunctionBlock};
use crate::fault::{self, Fault, Faults, Rejected};
use crate::json::{self, Excerpt, Json, Node, excerpt};
use crate::path::Path;

pub(super) struct Reader<'t> {
    text: &'t [u8],
    faults: Faults,
}

pub(super) fn read(text: &[u8]) -> Result<(Document, Faults), Rejected> {
    let mut reader = Reader {
        text,
        faults: Faults::default(),
    };
    let root = match json::parse(text) {
        Ok(root) if root.members().is_some() => root,
        Ok(_) => {
            let message = "a document is a JSON object".to_owned();
            reader.refuse(&Path::Root, fault::MODEL_UNREADABLE, message);
            return Err(reader.faults.into_rejected());
        }
        Err(syntax) => {
            let message = syntax.to_string();
            reader.refuse(&Path::Root, fault::MODEL_UNREADABLE, message);
            return Err(reader.faults.into_rejected());
        }
    };
    reader.size(&root);
    reader.members_once(&root, &Path::Root);
    let document = reader.document(&root);
    Ok((document, reader.faults))
}

impl Reader<'_> {
    pub(super) fn refuse(&mut self, path: &Path<'_>, code: u32, message: String) {
        self.faults.push(
            || Fault {
                pointer: path.pointer(),
                code,
                message,
            },
            code,
        );
    }

    pub(super) fn shown(&self, json: &Json) -> Excerpt<'_> {
        excerpt(json.span.of(self.text))
    }

    /// No object of the document may have a member twice: readers disagree on which counts.
    fn members_once(&mut self, json: &Json, path: &Path<'_>) {
        match &json.node {
            Node::Object(members) => {
                let mut names = HashSet::with_capacity(members.len());
                for member in members {
                    let path = Path::Key(path, &member.name);
                    if !names.insert(member.name.as_str()) {
                        let message = format!("the member `{}` is there twice", member.name);
                        self.refuse(&path, fault::MODEL_WRONG, message);
                    }
                    self.members_once(&member.value, &path);
                }
            }
            Node::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.members_once(element, &Path::Index(path, index));
                }
            }
            _ => {}
        }
    }

    /// A document's size, against [`Document::MAX_BYTES`].
    fn size(&mut self, root: &Json) {
        let blocks = root
            .get("functionBlocks")
            .and_then(Json::elements)
            .unwrap_or_default();
        let generated: usize = std::iter::once(root)
            .chain(blocks)
            .map(generated_bytes)
            .sum();
        let size = self.text.len() - generated;
        if size > Document::MAX_BYTES {
            let message = format!(
                "a document of {size} bytes is larger than {}",
                Document::MAX_BYTES
            );
            self.refuse(&Path::Root, fault::MODEL_WRONG, message);
        }
    }

    fn document(&mut self, root: &Json) -> Document {
        let path = Path::Root;
        if let Some(profile) = self.object(root, "profile", &path) {
            let path = Path::Key(&path, "profile");
            self.optional_text(profile, "productKey", &path);
        }
        let mut blocks = vec![self.block(root, &path)];
        let mut ids = HashSet::new();
        let path = Path::Key(&path, "functionBlocks");
        for (index, element) in self
            .list(root, "functionBlocks", &Path::Root)
            .iter()
            .enumerate()
        {
            let path = Path::Index(&path, index);
            if element.members().is_none() {
                let message = format!("{} is no object", self.shown(element));
                self.refuse(&path, fault::MODEL_WRONG, message);
                continue;
            }
            let block = self.block(element, &path);
            let wrong = match &block.id {
                None => Some("functionBlockId is missing".to_owned()),
                Some(id) if !ids.insert(id.clone()) => {
                    Some("another function block has the same functionBlockId".to_owned())
                }
                Some(_) => None,
            };
            match wrong {
                Some(message) => {
                    let path = Path::Key(&path, "functionBlockId");
                    self.refuse(&path, fault::MODEL_WRONG, message);
                }
                None => blocks.push(block),
            }
        }
        Document { blocks }
    }

    fn block(&mut self, json: &Json, path: &Path<'_>) -> FunctionBlock {
        let id = self
            .optional_text(json, "functionBlockId", path)
            .map(str::to_owned);
        if let Some(Err(message)) = id.as_deref().map(identifier::check_block) {
            self.refuse(
                &Path::Key(path, "functionBlockId"),
                fault::MODEL_WRONG,
                message,
            );
        }
        if let Some(name) = self.optional_text(json, "functionBlockName", path)
            && name.chars().count() > LONGEST_BLOCK
        {
            let message = format!("a functionBlockName is at most {LONGEST_BLOCK} characters");
            self.refuse(
                &Path::Key(path, "functionBlockName"),
                fault::MODEL_WRONG,
                message,
            );
        }
        self.features(json, id, path)
    }

    /// A list that may be absent.
    pub(super) fn list<'j>(&mut self, json: &'j Json, name: &str, path: &Path<'_>) -> &'j [Json] {
        let Some(value) = json.get(name) else {
            return &[];
        };
        value.elements().unwrap_or_else(|| {
            let message = format!("{} is no array", self.shown(value));
            self.refuse(&Path::Key(path, name), fault::MODEL_WRONG, message);
            &[]
        })
    }

    fn object<'j>(&mut self, json: &'j Json, name: &str, path: &Path<'_>) -> Option<&'j Json> {
        let value = json.get(name)?;
        if value.members().is_none() {
            let message = format!("{} is no object", self.shown(value));
            self.refuse(&Path::Key(path, name), fault::MODEL_WRONG, message);
            return None;
        }
        Some(value)
    }

    pub(super) fn optional_text<'j>(
        &mut self,
        json: &'j Json,
        name: &str,
        path: &Path<'_>,
    ) -> Option<&'j str> {
        let value = json.get(name)?;
        let text = value.text();
        if text.is_none() {
            let message = format!("{} is no text", self.shown(value));
            self.refuse(&Path::Key(path, name), fault::MODEL_WRONG, message);
        }
        text
    }

    pub(super) fn text<'j>(
        &mut self,
        json: &'j Json,
        name: &str,
        path: &Path<'_>,
    ) -> Option<&'j str> {
        if json.get(name).is_none() {
            let message = format!("{name} is missing");
            self.refuse(&Path::Key(path, name), fault::MODEL_WRONG, message);
        }
        self.optional_text(json, name, path)
    }

    /// A text that is one of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        json: &Json,
        name: &str,
        choices: &[(&str, T)],
        path: &Path<'_>,
    ) -> Option<T> {
        let word = self.text(json, name, path)?;
        let chosen = choices.iter().find(|(known, _)| *known == word);
        if chosen.is_none() {
            let known: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
            let word = excerpt(word.as_bytes());
            let message = format!("`{word}` is none of {}", known.join(", "));
            self.refuse(&Path::Key(path, name), fault::MODEL_WRONG, message);
        }
        chosen.map(|(_, meaning)| *meaning)
    }

    /// `required`; absent is false.
    pub(super) fn required(&mut self, json: &Json, path: &Path<'_>) -> bool {
        match json.get("required").map(|value| (&value.node, value)) {
            None => false,
            Some((Node::Bool(required), _)) => *required,
            Some((_, value)) => {
                let message = format!("{} is neither true nor false", self.shown(value));
                self.refuse(&Path::Key(path, "required"), fault::MODEL_WRONG, message);
                false
            }
        }
    }

    pub(super) fn at_most(&mut self, count: usize, limit: usize, what: &str, path: &Path<'_>) {
        if count > limit {
            let message = format!("{count} {what} are more than {limit}");
            self.refuse(path, fault::MODEL_WRONG, message);
        }
    }
}
