//! Reading attributes: documentation text, `key = value` lists, and the nearest name for a wrong one.
//!
//! Values stay expressions with their spans; the checks that judge them point at the user's own tokens.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Token};

use crate::ctxt::Ctxt;

/// One entry of an attribute's list: `name` or `name = value`.
pub(crate) struct Key {
    pub(crate) name: Ident,
    pub(crate) value: Option<Expr>,
}

impl Key {
    /// The value of a key that needs one.
    pub(crate) fn value(&self, ctxt: &mut Ctxt) -> Option<&Expr> {
        if self.value.is_none() {
            let message = format!("`{0}` needs a value: `{0} = ..`", self.name);
            ctxt.error(self.name.span(), message);
        }
        self.value.as_ref()
    }

    /// The value of a key that needs a string.
    pub(crate) fn string(&self, ctxt: &mut Ctxt) -> Option<&LitStr> {
        match self.value(ctxt)? {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
            other => {
                let message = format!("`{0}` must be a string: `{0} = \"..\"`", self.name);
                ctxt.error_at(other, message);
                None
            }
        }
    }

    /// The value of a key that needs names: `a`, `(a, b)` or `[a, b]`.
    pub(crate) fn names(&self, ctxt: &mut Ctxt) -> Vec<Ident> {
        let mut names = Vec::new();
        for path in self.paths(ctxt) {
            match path.get_ident() {
                Some(name) => names.push(name.clone()),
                None => ctxt.error_at(path, format!("`{}` takes names", self.name)),
            }
        }
        names
    }

    /// The value of a key that needs paths: `a`, `(a, b::c)` or `[a, b::c]`.
    pub(crate) fn paths(&self, ctxt: &mut Ctxt) -> Vec<Path> {
        let Some(value) = self.value(ctxt) else {
            return Vec::new();
        };
        let entries: Vec<&Expr> = match value {
            Expr::Tuple(tuple) => tuple.elems.iter().collect(),
            Expr::Array(array) => array.elems.iter().collect(),
            Expr::Paren(paren) => vec![&paren.expr],
            single => vec![single],
        };
        let mut paths = Vec::with_capacity(entries.len());
        for entry in entries {
            match entry {
                Expr::Path(path) if path.attrs.is_empty() && path.qself.is_none() => paths.push(path.path.clone()),
                other => ctxt.error_at(other, format!("`{}` takes names", self.name)),
            }
        }
        paths
    }
}

/// Parses the tokens between an attribute's parentheses and reports names that are not `allowed`, or given twice.
/// `what` names the attribute in messages.
pub(crate) fn keys(tokens: TokenStream, what: &str, allowed: &[&str], ctxt: &mut Ctxt) -> Vec<Key> {
    let mut keys = any_keys(tokens, ctxt);
    keys.retain(|key| {
        let name = key.name.to_string();
        let known = allowed.contains(&name.as_str());
        if !known {
            let message = unknown(&format!("key in `{what}`"), &name, allowed);
            ctxt.error(key.name.span(), message);
        }
        known
    });
    keys
}

/// Like [`keys`] where any name is allowed, or judged later.
pub(crate) fn any_keys(tokens: TokenStream, ctxt: &mut Ctxt) -> Vec<Key> {
    let parser = |input: ParseStream| Punctuated::<Key, Token![,]>::parse_terminated_with(input, parse_key);
    let Some(parsed) = ctxt.check(parser.parse2(tokens)) else {
        return Vec::new();
    };
    let mut keys: Vec<Key> = Vec::new();
    for key in parsed {
        if keys.iter().any(|earlier| earlier.name == key.name) {
            ctxt.error(key.name.span(), format!("`{}` is given twice", key.name));
        } else {
            keys.push(key);
        }
    }
    keys
}

fn parse_key(input: ParseStream) -> syn::Result<Key> {
    let name = input.call(Ident::parse_any)?;
    let value = if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        Some(input.parse()?)
    } else {
        None
    };
    Ok(Key { name, value })
}

/// The tokens between an attribute's parentheses; none for `#[name]`.
pub(crate) fn list_tokens(attribute: &Attribute, ctxt: &mut Ctxt) -> TokenStream {
    match &attribute.meta {
        Meta::Path(_) => TokenStream::new(),
        Meta::List(list) => list.tokens.clone(),
        Meta::NameValue(pair) => {
            let name = attribute_name(attribute).unwrap_or_default();
            ctxt.error(pair.eq_token.span, format!("expected `#[{name}]` or `#[{name}(..)]`"));
            TokenStream::new()
        }
    }
}

/// Reports an attribute that takes nothing but was given something.
pub(crate) fn no_arguments(attribute: &Attribute, ctxt: &mut Ctxt) {
    if !matches!(attribute.meta, Meta::Path(_)) {
        let name = attribute_name(attribute).unwrap_or_default();
        ctxt.error_at(&attribute.meta, format!("`#[{name}]` takes no arguments"));
    }
}

/// The name of an attribute that is one word.
pub(crate) fn attribute_name(attribute: &Attribute) -> Option<String> {
    attribute.path().get_ident().map(Ident::to_string)
}

/// Removes the attributes called `name` and gives them back.
pub(crate) fn take(attributes: &mut Vec<Attribute>, name: &str) -> Vec<Attribute> {
    attributes.extract_if(.., |attribute| attribute.path().is_ident(name)).collect()
}

/// Like [`take`] for an attribute that may be given once.
pub(crate) fn take_one(attributes: &mut Vec<Attribute>, name: &str, ctxt: &mut Ctxt) -> Option<Attribute> {
    let mut found = take(attributes, name).into_iter();
    let first = found.next();
    for again in found {
        ctxt.error_at(&again, format!("`#[{name}]` is given twice"));
    }
    first
}

/// The text of the doc comments, without the space each line starts with.
pub(crate) fn doc_text(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else {
            continue;
        };
        let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value else {
            continue;
        };
        if pair.path.is_ident("doc") {
            // Unlike `lines`, this keeps the empty line between two paragraphs.
            for line in text.value().split('\n') {
                lines.push(line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned());
            }
        }
    }
    lines.join("\n").trim().to_owned()
}

/// "unknown key in `#[param]`: `defualt`; did you mean `default`? (known: ..)".
pub(crate) fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let list = one_of(known);
    match nearest(name, known) {
        Some(near) => format!("unknown {what}: `{name}`; did you mean `{near}`? (known: {list})"),
        None => format!("unknown {what}: `{name}` (known: {list})"),
    }
}

/// "`a`, `b` or `c`".
pub(crate) fn one_of(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|name| format!("`{name}`")).collect();
            format!("{} or `{last}`", first.join(", "))
        }
    }
}

/// The candidate most like `name`, if any is like it: at most one edit in three letters, capitals apart.
pub(crate) fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    candidates
        .iter()
        .map(|candidate| (distance(&wanted, &candidate.to_lowercase()), *candidate))
        .filter(|(edits, _)| *edits <= name.chars().count().max(3) / 3)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Edits (insert, delete, replace, swap two neighbours) between two words: optimal string alignment.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(a != b);
            let mut edits = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                edits = edits.min(rows[i - 1][j - 1] + 1);
            }
            row.push(edits);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::{doc_text, nearest};
    use syn::parse_quote;

    #[test]
    fn nearest_finds_typing_mistakes_only() {
        assert_eq!(nearest("defualt", &["default", "units"]), Some("default"));
        assert_eq!(nearest("MV", &["mV", "s"]), Some("mV"));
        assert_eq!(nearest("banana", &["default", "units"]), None);
    }

    #[test]
    fn doc_text_joins_lines_and_ignores_other_attributes() {
        let attributes = [
            parse_quote!(#[doc = " Rest potential."]),
            parse_quote!(#[allow(dead_code)]),
            parse_quote!(#[doc = "   indented"]),
            parse_quote!(#[doc = ""]),
            parse_quote!(#[doc = " A paragraph."]),
        ];
        assert_eq!(doc_text(&attributes), "Rest potential.\n  indented\n\nA paragraph.");
    }
}
