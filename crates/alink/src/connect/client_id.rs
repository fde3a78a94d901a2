//! The client id: `{cid}|{key}={value},{key}={value}|`.

use crate::limits;

/// A client id taken apart, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientId<'a> {
    cid: &'a str,
    parameters: &'a str,
}

impl<'a> ClientId<'a> {
    /// Nothing if the two bars are not where they must be, a parameter is no pair, the part before the
    /// bars is longer than 64 characters, or all of it is longer than 2048 bytes.
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() > limits::CLIENT_ID_BYTES {
            return None;
        }
        let (cid, rest) = text.split_once('|')?;
        let parameters = rest.strip_suffix('|')?;
        let readable = cid.chars().count() <= limits::CLIENT_ID_CHARS
            && !parameters.contains('|')
            && pairs(parameters).all(|pair| pair.contains('='));
        readable.then_some(Self { cid, parameters })
    }

    /// The part before the first bar.
    pub fn cid(&self) -> &'a str {
        self.cid
    }

    /// The parameter's value; of one given twice, the last.
    pub fn parameter(&self, key: &str) -> Option<&'a str> {
        pairs(self.parameters)
            .rev()
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(name, value)| (name == key).then_some(value))
    }

    /// `_ss=1`: the platform subscribes the system topics. Also on a sub-device's client id at its login.
    pub fn auto_subscribes(&self) -> bool {
        self.parameter("_ss") == Some("1")
    }
}

fn pairs(parameters: &str) -> impl DoubleEndedIterator<Item = &str> {
    parameters.split(',').filter(|pair| !pair.is_empty())
}
