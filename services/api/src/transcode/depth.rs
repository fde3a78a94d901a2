//! How deep a JSON text nests, before anything recurses into it.

/// Deepest nesting of a body. A thing model's structs in arrays need about 12.
pub(super) const DEEPEST: usize = 64;

/// Whether brackets nest deeper than [`DEEPEST`]; the text need not be JSON.
pub(super) fn is_too_deep(text: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > DEEPEST {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_outside_of_strings_count() {
        assert!(!is_too_deep("[".repeat(DEEPEST).as_bytes()));
        assert!(is_too_deep("[".repeat(DEEPEST + 1).as_bytes()));
        assert!(!is_too_deep(format!("\"{}\"", "[".repeat(100)).as_bytes()));
        assert!(is_too_deep(
            format!("\"\\\"\"{}", "{".repeat(100)).as_bytes()
        ));
    }
}
