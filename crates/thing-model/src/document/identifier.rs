//! Identifiers of features, parameters and function blocks.

/// Characters, at most. Unverified on the real service.
const LONGEST: usize = 50;

/// Characters of a function block's id or name, at most.
pub(super) const LONGEST_BLOCK: usize = 30;

/// Words of the topics and of the wrapped form. Unverified on the real service;
/// members of structs and parameters may have them (a struct `{value, time}` is known).
const RESERVED: [&str; 7] = ["set", "get", "post", "property", "event", "time", "value"];

/// The rule that an identifier breaks.
pub(super) fn check(identifier: &str, feature: bool) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if identifier.is_empty() || !identifier.bytes().all(allowed) {
        return Err("an identifier is letters, digits and `_`".to_owned());
    }
    if identifier.len() > LONGEST {
        let length = identifier.len();
        return Err(format!(
            "an identifier of {length} characters is longer than {LONGEST}"
        ));
    }
    if feature && RESERVED.contains(&identifier) {
        return Err(format!("the identifier `{identifier}` is reserved"));
    }
    Ok(())
}

pub(super) fn check_block(id: &str) -> Result<(), String> {
    let length = id.chars().count();
    if length > LONGEST_BLOCK {
        return Err(format!(
            "a functionBlockId of {length} characters is longer than {LONGEST_BLOCK}"
        ));
    }
    check(id, false)
}
