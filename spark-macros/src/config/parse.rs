//! Reads a config struct into [`Config`] and takes the `#[param]` attributes off it.
//!
//! Only the shape is judged here: named fields, no generics, known keys. What the keys say is for [`super::check`].

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::{Expr, Field, Fields, Ident, ItemStruct, LitStr, Path, Type, Visibility, parse_quote};

use crate::attrs;
use crate::ctxt::Ctxt;

const KEYS: &[&str] = &["default", "units", "check", "rename", "alias", "python_default"];

/// A config struct as written.
pub(crate) struct Config {
    pub(crate) name: Ident,
    /// Name in files.
    pub(crate) file_name: String,
    pub(crate) description: String,
    pub(crate) fields: Vec<Param>,
}

/// One field.
pub(crate) struct Param {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) description: String,
    /// Name in files, if not the field's.
    pub(crate) rename: Option<LitStr>,
    pub(crate) alias: Option<LitStr>,
    pub(crate) units: Option<LitStr>,
    pub(crate) checks: Vec<Path>,
    pub(crate) default: DefaultValue,
    /// What a file of the Python Spark means that lacks the field, if that is not the default.
    pub(crate) python_default: Option<Expr>,
}

/// What a field's `default` key says.
pub(crate) enum DefaultValue {
    /// No default: the field is required.
    None,
    Given(Expr),
    /// One of the wrong kind, reported already; the field still counts as having one.
    Wrong,
}

impl Param {
    /// The field's name in files, and in messages about its value.
    pub(crate) fn file_name(&self) -> String {
        match &self.rename {
            Some(name) => name.value(),
            None => self.ident.unraw().to_string(),
        }
    }
}

/// Reads `item`; `None` if no configuration can be made of it.
pub(crate) fn parse(attributes: TokenStream, item: &mut ItemStruct, ctxt: &mut Ctxt) -> Option<Config> {
    let keys = attrs::keys(attributes, "#[spark::config]", &["bare"], ctxt);
    if let Some(value) = keys.iter().find_map(|key| key.value.as_ref()) {
        ctxt.error_at(value, "`bare` takes no value");
    }
    let mut config = parse_bare(item, "a config", "#[spark::config]", ctxt)?;
    if keys.is_empty() {
        add_common_fields(item, &mut config.fields, ctxt);
    }
    Some(config)
}

/// Reads `item` without adding fields; `noun` and `attribute` name what it is to be in messages. `None` if it cannot be.
pub(crate) fn parse_bare(item: &mut ItemStruct, noun: &str, attribute: &str, ctxt: &mut Ctxt) -> Option<Config> {
    let fields = parse_fields(item, ctxt);
    if !item.generics.params.is_empty() {
        let message = format!("{noun} cannot be generic: files and the registry need one concrete type");
        ctxt.error_at(&item.generics, message);
        return None;
    }
    if !matches!(item.fields, Fields::Named(_)) {
        let message = format!("`{attribute}` needs a struct with named fields: `struct Name {{ .. }}`");
        ctxt.error_at(&item.ident, message);
        return None;
    }
    let file_name = item.ident.unraw().to_string();
    Some(Config { name: item.ident.clone(), file_name, description: attrs::doc_text(&item.attrs), fields })
}

fn add_common_fields(item: &mut ItemStruct, params: &mut Vec<Param>, ctxt: &mut Ctxt) {
    let Fields::Named(fields) = &mut item.fields else { return };
    let public = matches!(item.vis, Visibility::Public(_));
    for mut field in common_fields() {
        if params.iter().any(|param| Some(&param.ident) == field.ident.as_ref()) {
            continue;
        }
        if !public {
            field.vis = item.vis.clone();
        }
        params.extend(parse_field(&mut field, ctxt));
        fields.named.push(field);
    }
}

/// The fields every config has unless it is `bare`.
fn common_fields() -> [Field; 3] {
    [
        parse_quote! {
            /// Seed of the random numbers drawn for this component.
            #[param(default = 0)]
            pub seed: u32
        },
        parse_quote! {
            /// Floating-point type of the arrays of this component.
            #[param(default = ::spark::__private::DType::F32)]
            pub dtype: ::spark::__private::DType
        },
        parse_quote! {
            /// Duration of one step.
            #[param(default = 1.0, units = "ms", check = positive)]
            pub dt: f64
        },
    ]
}

fn parse_fields(item: &mut ItemStruct, ctxt: &mut Ctxt) -> Vec<Param> {
    let mut params = Vec::with_capacity(item.fields.len());
    for field in item.fields.iter_mut() {
        params.extend(parse_field(field, ctxt));
    }
    params
}

/// Reads one field; `None` for a field without a name.
fn parse_field(field: &mut Field, ctxt: &mut Ctxt) -> Option<Param> {
    let attribute = attrs::take_one(&mut field.attrs, "param", ctxt);
    let mut param = Param {
        ident: field.ident.clone()?,
        ty: field.ty.clone(),
        description: attrs::doc_text(&field.attrs),
        rename: None,
        alias: None,
        units: None,
        checks: Vec::new(),
        default: DefaultValue::None,
        python_default: None,
    };
    let Some(attribute) = attribute else {
        return Some(param);
    };
    let tokens = attrs::list_tokens(&attribute, ctxt);
    for key in attrs::keys(tokens, "#[param]", KEYS, ctxt) {
        match key.name.to_string().as_str() {
            "default" => {
                param.default = match key.value(ctxt) {
                    Some(value) => DefaultValue::Given(value.clone()),
                    None => DefaultValue::Wrong,
                };
            }
            "python_default" => param.python_default = key.value(ctxt).cloned(),
            "units" => param.units = key.string(ctxt).cloned(),
            "rename" => param.rename = key.string(ctxt).cloned(),
            "alias" => param.alias = key.string(ctxt).cloned(),
            _ => param.checks = key.paths(ctxt),
        }
    }
    Some(param)
}
