//! Descriptions as plain text.

/// A description without its code examples and the marks of documentation.
pub fn prose(text: &str) -> String {
    let outside: String = text.split("```").step_by(2).collect();
    let text = outside.replace("\\[", "[").replace("\\]", "]").replace("[`", "").replace("`]", "");
    text.replace(['`', '*'], "").trim().to_string()
}

/// The first sentence of a description, on one line; of a sentence that ends in an equation, what comes before it.
pub fn summary(text: &str) -> String {
    let text = prose(text);
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    let end = words.iter().position(|word| word.ends_with('.')).map_or(words.len(), |at| at + 1);
    let sentence = words[..end].join(" ");
    sentence.strip_suffix(':').map_or_else(|| sentence.clone(), |begun| format!("{begun}."))
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[track_caller]
    fn check(description: &str, expected: &str) {
        assert_eq!(summary(description), expected);
    }

    #[test]
    fn a_summary_is_the_first_sentence_without_its_equation() {
        check("Leaky soma.\n\nMore.", "Leaky soma.");
        check("Leaky [`Soma`]. It\nspikes.", "Leaky Soma.");
        check("A soma with two\nequations:\n\ndv/dt = −v, dw/dt = −w.", "A soma with two equations.");
        check("Spike events", "Spike events");
    }
}
