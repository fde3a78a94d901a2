//! A document as a tree that knows where everything stands in the text.

use super::{Cursor, Span, Syntax};

#[derive(Debug)]
pub(crate) struct Json {
    pub(crate) span: Span,
    pub(crate) node: Node,
}

#[derive(Debug)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<Member>),
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) value: Json,
}

impl Json {
    pub(crate) fn members(&self) -> Option<&[Member]> {
        match &self.node {
            Node::Object(members) => Some(members),
            _ => None,
        }
    }

    pub(crate) fn elements(&self) -> Option<&[Json]> {
        match &self.node {
            Node::List(elements) => Some(elements),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.node {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        let member = self.members()?.iter().find(|member| member.name == name)?;
        Some(&member.value)
    }
}

/// Reads one whole JSON text.
pub(crate) fn parse(bytes: &[u8]) -> Result<Json, Syntax> {
    let mut cursor = Cursor::new(bytes);
    let root = read(&mut cursor)?;
    cursor.finish()?;
    Ok(root)
}

fn read(cursor: &mut Cursor<'_>) -> Result<Json, Syntax> {
    let open = cursor.ahead();
    let start = cursor.pos();
    let node = match open {
        Some(b'{') => {
            let mut members = Vec::new();
            let mut first = true;
            cursor.enter()?;
            while cursor.more(b'}', &mut first)? {
                let name = cursor.key()?;
                let name = cursor.unescaped(name).into_owned();
                members.push(Member {
                    name,
                    value: read(cursor)?,
                });
            }
            Node::Object(members)
        }
        Some(b'[') => {
            let mut elements = Vec::new();
            let mut first = true;
            cursor.enter()?;
            while cursor.more(b']', &mut first)? {
                elements.push(read(cursor)?);
            }
            Node::List(elements)
        }
        Some(b'"') => {
            let text = cursor.string()?;
            Node::Text(cursor.unescaped(text).into_owned())
        }
        Some(b'-' | b'0'..=b'9') => Node::Number(cursor.number()?.value),
        other => {
            cursor.skip()?;
            match other {
                Some(b'n') => Node::Null,
                letter => Node::Bool(letter == Some(b't')),
            }
        }
    };
    Ok(Json {
        span: Span {
            start,
            end: cursor.pos(),
        },
        node,
    })
}
