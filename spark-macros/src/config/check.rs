//! Judges what the keys of `#[param]` say: units, checks, names in files, and literal defaults of the wrong kind.
//!
//! A default that is any other expression is left to rustc: the emitted conversion carries its span.

use std::collections::HashMap;

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{Expr, ExprLit, ExprUnary, Lit, Type};

use super::parse::{Config, DefaultValue, Entry, Group, Param};
use crate::ctxt::Ctxt;
use crate::{attrs, units};

/// Spark's own checks, known by name; any other path is a check of the user's.
pub(super) const CHECKS: &[&str] = &["positive", "non_negative", "zero_one", "binary", "finite"];

/// Records every mistake of `config` and drops what cannot be emitted.
pub(crate) fn check(config: &mut Config, ctxt: &mut Ctxt) {
    for entry in &mut config.entries {
        match entry {
            Entry::Param(param) => {
                check_units(param, ctxt);
                check_checks(param, ctxt);
                check_default(param, ctxt);
            }
            Entry::Group(group) => check_overrides(group, ctxt),
        }
    }
    check_names(config, ctxt);
}

/// A group's default can be replaced for a field it has, by a value.
fn check_overrides(group: &mut Group, ctxt: &mut Ctxt) {
    if !group.known {
        group.overrides.clear();
    }
    let names: Vec<String> = group.fields.iter().map(|field| field.ident.unraw().to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    group.overrides.retain(|key| {
        let name = key.name.unraw().to_string();
        if !names.contains(&name.as_str()) {
            ctxt.error(
                key.name.span(),
                attrs::unknown(&format!("field of the group `{}`", group.ident), &name, &names),
            );
            return false;
        }
        key.value(ctxt).is_some()
    });
}

fn check_units(param: &Param, ctxt: &mut Ctxt) {
    if let Some(text) = &param.units
        && let Err(message) = units::check(&text.value())
    {
        ctxt.error(text.span(), message);
    }
}

fn check_checks(param: &mut Param, ctxt: &mut Ctxt) {
    param.checks.retain(|check| {
        let Some(name) = check.get_ident().map(ToString::to_string) else { return true };
        let own = CHECKS.contains(&name.as_str());
        let misspelled = !own && attrs::nearest(&name, CHECKS).is_some();
        if misspelled {
            let message = attrs::unknown("check", &name, CHECKS);
            ctxt.error_at(check, format!("{message}; a check of yours with such a name is `self::{name}`"));
        }
        !misspelled
    });
}

/// A field's names, and where a message about them belongs.
struct Names {
    /// How messages call the field.
    owner: String,
    /// In code: of its setter.
    setter: String,
    /// In files, with the alias.
    in_files: Vec<(String, Span)>,
    span: Span,
}

fn names(config: &Config) -> Vec<Names> {
    let mut all = Vec::new();
    for entry in &config.entries {
        match entry {
            Entry::Param(param) => {
                let span = param.rename.as_ref().map_or(param.ident.span(), |name| name.span());
                let alias = param.alias.iter().map(|alias| (alias.value(), alias.span()));
                all.push(Names {
                    owner: format!("`{}`", param.ident),
                    setter: param.ident.unraw().to_string(),
                    in_files: std::iter::once((param.file_name(), span)).chain(alias).collect(),
                    span: param.ident.span(),
                });
            }
            Entry::Group(group) => {
                let span = group.ident.span();
                all.extend(group.fields.iter().map(|field| {
                    Names {
                        owner: format!("`{}` of the group `{}`", field.ident, group.ident),
                        setter: field.ident.unraw().to_string(),
                        in_files: [Some(&field.file_name), field.alias.as_ref()]
                            .into_iter()
                            .flatten()
                            .map(|name| (name.clone(), span))
                            .collect(),
                        span,
                    }
                }));
            }
        }
    }
    all
}

/// No two fields may share a name or alias in files, nor a setter.
fn check_names(config: &Config, ctxt: &mut Ctxt) {
    let mut setters: HashMap<String, String> = HashMap::new();
    let mut owners: HashMap<String, String> = HashMap::new();
    for Names { owner, setter, in_files, span } in names(config) {
        let mut clash = false;
        for (name, span) in in_files {
            if let Some(owner) = owners.insert(name.clone(), owner.clone()) {
                clash = true;
                ctxt.error(span, format!("`{name}` already names the field {owner} in files"));
            }
        }
        if let Some(earlier) = setters.insert(setter.clone(), owner.clone())
            && !clash
        {
            ctxt.error(span, format!("{owner} and {earlier} have the same setter `with_{setter}`"));
        }
    }
}

/// What a literal is, or what a field takes.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Number,
    Text,
    Boolean,
}

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Kind::Number => "a number",
            Kind::Text => "a string",
            Kind::Boolean => "a boolean",
        }
    }
}

fn check_default(param: &mut Param, ctxt: &mut Ctxt) {
    let DefaultValue::Given(value) = &param.default else {
        return;
    };
    if let (Some(expected), Some((found, span))) = (field_kind(&param.ty), literal_kind(value))
        && expected != found
    {
        let message = format!("default of `{}` must be {}, found {}", param.ident, expected.noun(), found.noun());
        ctxt.error(span, message);
        param.default = DefaultValue::Wrong;
    }
}

/// The literal a field of this type takes, for the types the macro knows by name.
fn field_kind(ty: &Type) -> Option<Kind> {
    let Type::Path(path) = ty else { return None };
    let name = path.path.segments.last()?.ident.to_string();
    Some(match name.as_str() {
        "Param" | "Units" | "f32" | "f64" => Kind::Number,
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => Kind::Number,
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => Kind::Number,
        "String" => Kind::Text,
        "bool" => Kind::Boolean,
        _ => return None,
    })
}

fn literal_kind(value: &Expr) -> Option<(Kind, Span)> {
    match value {
        Expr::Lit(ExprLit { lit, .. }) => {
            let kind = match lit {
                Lit::Str(_) | Lit::ByteStr(_) | Lit::CStr(_) | Lit::Char(_) => Kind::Text,
                Lit::Int(_) | Lit::Float(_) | Lit::Byte(_) => Kind::Number,
                Lit::Bool(_) => Kind::Boolean,
                _ => return None,
            };
            Some((kind, lit.span()))
        }
        Expr::Unary(ExprUnary { expr, .. }) => literal_kind(expr),
        Expr::Paren(paren) => literal_kind(&paren.expr),
        Expr::Group(group) => literal_kind(&group.expr),
        _ => None,
    }
}
