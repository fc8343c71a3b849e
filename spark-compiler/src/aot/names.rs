//! Identifiers of C and Rust made from the names of models and ports.

use super::AotError;
use std::collections::HashSet;

/// Words that are no identifiers in C, C++ or Rust, and macros that compilers define.
const RESERVED: &str = " abstract alignas alignof and as asm async auto await become bitand bitor bool box break case catch \
    char class compl concept const consteval constexpr constinit continue crate decltype default delete do double dyn else \
    enum explicit export extern false final float fn for friend gen goto if impl in inline int let long loop macro match mod \
    move mut mutable namespace new noexcept not nullptr operator or override priv private protected pub public ref register \
    requires restrict return self short signed sizeof static struct super switch template this throw trait true try type \
    typedef typeid typename typeof union unsafe unsigned unsized use using virtual void volatile where while xor yield \
    linux unix ";

/// Names that C's headers, its library or C++ give to something else, but that a member of a structure may have.
const TAKEN: &str = " NULL main max_align_t nullptr_t ptrdiff_t size_t std wchar_t ";

/// Checks that `name` can begin symbols.
///
/// # Errors
/// If it cannot.
pub(super) fn check(name: &str) -> Result<(), AotError> {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let why = if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        "it has to begin with a letter"
    } else if !name.chars().all(letters) {
        "it may have letters of English, digits and `_` only"
    } else if name.len() > 64 {
        "it is longer than 64 letters"
    } else if is_reserved(name) {
        "it is a word of C or Rust"
    } else if is_among(TAKEN, name) || name.trim_start_matches('u').starts_with("int") && name.ends_with("_t") {
        "C or C++ has something of this name"
    } else {
        return Ok(());
    };
    Err(AotError::Name { name: name.to_string(), why: why.to_string() })
}

fn is_reserved(name: &str) -> bool {
    is_among(RESERVED, name)
}

fn is_among(words: &str, name: &str) -> bool {
    words.split_whitespace().any(|word| word == name)
}

/// An identifier for each of the paths: `in_spikes.inhibition_mask` is `in_spikes_inhibition_mask`.
pub(super) fn identifiers<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut identifiers = Vec::new();
    for path in paths {
        let mut name = String::new();
        for c in path.chars() {
            let c = if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
            if c != '_' || !name.ends_with('_') && !name.is_empty() {
                name.push(c);
            }
        }
        let name = name.trim_end_matches('_');
        let fits = name.starts_with(|c: char| c.is_ascii_alphabetic()) && !is_reserved(name);
        let name = if fits { name.to_string() } else { format!("port_{name}") };
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name));
        let free = free.expect("there are more numbers than names");
        taken.insert(free.clone());
        identifiers.push(free);
    }
    identifiers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_identifiers_that_differ() {
        let paths = ["in_spikes.inhibition_mask", "inputs[0]", "inputs.0", "for", "2nd", "Signal", "ü"];
        let expected =
            ["in_spikes_inhibition_mask", "inputs_0", "inputs_0_2", "port_for", "port_2nd", "signal", "port_"];
        assert_eq!(identifiers(paths.into_iter()), expected);
    }

    #[test]
    fn names_begin_symbols() {
        ["brain_2", "integrator", "memory", "model", "Inputs"].iter().for_each(|name| check(name).unwrap());
        for name in ["", "2brain", "my brain", "naïve", "while", "_x", "linux", "main", "uint8_t", &"x".repeat(65)] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
