//! The physical units a parameter may be given in.
//!
//! A unit is a product or quotient of known units: factors joined by `*` and `/`, each with an optional `^2`; `1` stands for no
//! unit, as in `1/ms`. The macro only checks the spelling; quantities stay plain numbers.

use crate::attrs::nearest;

/// Every unit that needs no further rule.
const UNITS: &[&str] = &[
    "1", "V", "mV", "uV", "A", "mA", "uA", "nA", "pA", "s", "ms", "us", "Hz", "kHz", "S", "mS", "uS", "nS", "Ω", "kΩ",
    "MΩ", "GΩ", "F", "mF", "uF", "nF", "pF", "C", "M", "mM", "uM", "nM", "J",
];

/// What is wrong with `text` as a unit, if anything.
pub(crate) fn check(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("a unit cannot be empty; write \"1\" for a number without unit".to_owned());
    }
    for factor in text.split(['/', '*']) {
        let symbol = factor.strip_suffix("^2").unwrap_or(factor);
        if UNITS.contains(&symbol) {
            continue;
        }
        return Err(message(text, symbol));
    }
    Ok(())
}

fn message(text: &str, symbol: &str) -> String {
    let place = if symbol == text { String::new() } else { format!(" in `{text}`") };
    let plain = symbol.trim().replace(['µ', 'μ'], "u").replace("Ohm", "Ω").replace("ohm", "Ω");
    let hint = match nearest(&plain, UNITS) {
        Some(near) if !symbol.is_empty() => format!("; did you mean `{near}`?"),
        _ => String::new(),
    };
    format!("unknown unit `{symbol}`{place}{hint} (known: {}, and products of these such as `nS/mV`)", UNITS.join(" "))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn products_and_quotients_of_known_units_are_units() {
        for unit in ["mV", "1", "1/ms", "mV/ms", "nS/mV", "pA*ms", "A/s^2", "MΩ"] {
            assert_eq!(check(unit), Ok(()), "{unit}");
        }
    }

    #[test]
    fn the_message_names_the_factor_at_fault_and_a_near_unit() {
        let message = check("mV/mss").unwrap_err();
        assert!(message.starts_with("unknown unit `mss` in `mV/mss`; did you mean `ms`?"));
        assert!(check("µA").unwrap_err().contains("did you mean `uA`?"));
        assert!(check("").is_err());
        assert!(check("mV/").is_err());
    }
}
