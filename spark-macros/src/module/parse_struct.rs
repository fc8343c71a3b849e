//! Reads a module struct into [`ModuleStruct`] and takes the role attributes off its fields.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, Field, Fields, Generics, Ident, ItemStruct, LitStr, Type, TypePath};

use super::axes::{Axis, parse_axes};
use crate::attrs::{self, Key};
use crate::ctxt::Ctxt;

const KEYS: &[&str] = &["category", "name"];
const HANDLE_KEYS: &[&str] = &["property", "axis", "set"];
const PART_KEYS: &[&str] = &["flatten"];
const ROLES: &[&str] = &["config", "variable", "constant", "module", "host"];

/// A module struct as written.
pub(crate) struct ModuleStruct {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// Registered name, if not the struct's.
    pub(crate) name: Option<LitStr>,
    pub(crate) category: Option<LitStr>,
    pub(crate) description: String,
    pub(crate) fields: Vec<ModuleField>,
}

/// One field with its role.
pub(crate) struct ModuleField {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) description: String,
    /// `None` if the field has no role, or an unknown one; reported already.
    pub(crate) role: Option<Role>,
    /// Whether others may read it, and write it.
    pub(crate) property: Option<FieldProperty>,
    /// Whether the fields of a nested part count as those of what holds it.
    pub(crate) flatten: bool,
}

/// What `property = ..` on a variable or constant says.
pub(crate) struct FieldProperty {
    /// The payload it is read as.
    pub(crate) payload: Type,
    pub(crate) axes: Vec<Axis>,
    pub(crate) settable: bool,
}

/// What a field is to the module.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Role {
    Config,
    Variable,
    Constant,
    Module,
    Host,
}

/// Reads `item`; `None` if it cannot be a module at all.
pub(crate) fn parse(attributes: TokenStream, item: &mut ItemStruct, ctxt: &mut Ctxt) -> Option<ModuleStruct> {
    let keys = attrs::keys(attributes, "#[spark::module]", KEYS, ctxt);
    let (mut name, mut category) = (None, None);
    for key in &keys {
        let value = key.string(ctxt).cloned();
        if key.name == "name" {
            name = value;
        } else {
            category = value;
        }
    }
    let mut fields = Vec::with_capacity(item.fields.len());
    for field in item.fields.iter_mut() {
        fields.extend(parse_field(field, ctxt));
    }
    if !matches!(item.fields, Fields::Named(_)) {
        let message = "`#[spark::module]` needs a struct with named fields: `struct Name { .. }`";
        ctxt.error_at(&item.ident, message);
        return None;
    }
    let (ident, generics) = (item.ident.clone(), item.generics.clone());
    Some(ModuleStruct { ident, generics, name, category, description: attrs::doc_text(&item.attrs), fields })
}

fn parse_field(field: &mut Field, ctxt: &mut Ctxt) -> Option<ModuleField> {
    let ident = field.ident.clone()?;
    let mut roles = Vec::new();
    for name in ROLES {
        roles.extend(attrs::take(&mut field.attrs, name));
    }
    let (mut property, mut flatten) = (None, false);
    for attribute in &roles {
        if attribute.path().is_ident("variable") || attribute.path().is_ident("constant") {
            property = parse_property(attribute, ctxt);
        } else if attribute.path().is_ident("module") {
            flatten = parse_flatten(attribute, ctxt);
        } else {
            attrs::no_arguments(attribute, ctxt);
        }
    }
    if let [_, again, ..] = roles.as_slice() {
        ctxt.error_at(again, format!("field `{ident}` has two roles; keep one"));
    }
    if roles.is_empty() && !take_misspelled(&mut field.attrs, ctxt) {
        let message = format!(
            "field `{ident}` is neither variable, constant, config, module nor host: \
             put `#[variable]`, `#[constant]`, `#[module]` or `#[host]` on it"
        );
        ctxt.error(ident.span(), message);
    }
    let role = roles.first().and_then(attrs::attribute_name);
    Some(ModuleField {
        ty: field.ty.clone(),
        description: attrs::doc_text(&field.attrs),
        role: role.and_then(|name| Role::from_name(&name)),
        property,
        flatten,
        ident,
    })
}

/// Reads the keys of `#[module]`.
fn parse_flatten(attribute: &Attribute, ctxt: &mut Ctxt) -> bool {
    let keys = attrs::keys(attrs::list_tokens(attribute, ctxt), "#[module]", PART_KEYS, ctxt);
    if let Some(value) = keys.iter().find_map(|key| key.value.as_ref()) {
        ctxt.error_at(value, "`flatten` takes no value");
    }
    !keys.is_empty()
}

/// Reads the keys of `#[variable]` or `#[constant]`.
fn parse_property(attribute: &Attribute, ctxt: &mut Ctxt) -> Option<FieldProperty> {
    let role = attrs::attribute_name(attribute)?;
    let keys = attrs::keys(attrs::list_tokens(attribute, ctxt), &format!("#[{role}]"), HANDLE_KEYS, ctxt);
    let find = |name: &str| keys.iter().find(|key| key.name == name);
    let (mut axes, set) = (vec![Axis::Units], find("set"));
    if let Some(key) = find("axis") {
        axes = parse_axes(&key.names(ctxt), ctxt);
    }
    if let Some(value) = set.and_then(|key| key.value.as_ref()) {
        ctxt.error_at(value, "`set` takes no value");
    }
    if let (Some(key), "constant") = (set, role.as_str()) {
        ctxt.error(key.name.span(), "a constant cannot be set; make it a `#[variable]`");
    }
    let Some(key) = find("property") else {
        for key in &keys {
            let message = format!("`{}` needs `property = ..`, the payload the field is read as", key.name);
            ctxt.error(key.name.span(), message);
        }
        return None;
    };
    let payload = property_type(key, ctxt)?;
    Some(FieldProperty { payload, axes, settable: set.is_some() && role == "variable" })
}

fn property_type(key: &Key, ctxt: &mut Ctxt) -> Option<Type> {
    match key.value(ctxt)? {
        Expr::Path(path) => {
            Some(Type::Path(TypePath { attrs: Vec::new(), qself: path.qself.clone(), path: path.path.clone() }))
        }
        other => {
            ctxt.error_at(other, "`property` needs a payload type: `property = PotentialArray`");
            None
        }
    }
}

/// Takes off an attribute that is almost a role, such as `#[varible]`, and reports it; true if there was one.
fn take_misspelled(attributes: &mut Vec<Attribute>, ctxt: &mut Ctxt) -> bool {
    let misspelled = attributes.extract_if(.., |attribute| {
        attrs::attribute_name(attribute).is_some_and(|name| name != "doc" && attrs::nearest(&name, ROLES).is_some())
    });
    let mut any = false;
    for attribute in misspelled {
        any = true;
        let name = attrs::attribute_name(&attribute).unwrap_or_default();
        ctxt.error_at(attribute.path(), attrs::unknown("role", &name, ROLES));
    }
    any
}

impl ModuleField {
    /// The name of the field, and of its property.
    pub(crate) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }
}

impl Role {
    fn from_name(name: &str) -> Option<Role> {
        Some(match name {
            "config" => Role::Config,
            "variable" => Role::Variable,
            "constant" => Role::Constant,
            "module" => Role::Module,
            "host" => Role::Host,
            _ => return None,
        })
    }
}
