//! Reads a config struct into [`Config`] and takes the `#[param]` and `#[flatten]` attributes off it.
//!
//! Only the shape is judged here: named fields, no generics, known keys. What the keys say is for [`super::check`].

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{
    Expr, Field, Fields, Ident, ItemStruct, LitBool, LitStr, Path, Token, Type, Visibility, braced, parse_quote,
};

use crate::attrs::{self, Key};
use crate::ctxt::Ctxt;
use crate::items;

const KEYS: &[&str] = &["default", "units", "check", "rename", "alias", "python_default"];

/// The attribute that the struct carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attribute {
    Config,
    Initializer,
}

/// What the struct becomes.
pub(crate) enum Kind {
    Config,
    /// Parameters for other configs to flatten.
    Group,
    /// A config that draws parameters; `name` is its registered name.
    Initializer {
        name: String,
    },
}

/// A config struct as written.
pub(crate) struct Config {
    pub(crate) name: Ident,
    pub(crate) visibility: Visibility,
    /// Name in files.
    pub(crate) file_name: String,
    pub(crate) description: String,
    pub(crate) kind: Kind,
    pub(crate) entries: Vec<Entry>,
}

/// One field of the struct.
#[allow(clippy::large_enum_variant, reason = "a handful in a macro call")]
pub(crate) enum Entry {
    Param(Param),
    Group(Group),
}

/// A field with a value of its own.
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

/// A field with `#[flatten]`: its fields are the config's own.
pub(crate) struct Group {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// What `#[flatten(name = value)]` says.
    pub(crate) overrides: Vec<Key>,
    pub(crate) fields: Vec<GroupField>,
    /// Whether the type can be one, and has told its fields.
    pub(crate) known: bool,
}

/// The answer of a group: its fields, those it flattens itself included.
#[derive(Clone)]
pub(crate) struct GroupFields(pub(crate) Vec<GroupField>);

/// One field of a group.
#[derive(Clone)]
pub(crate) struct GroupField {
    pub(crate) ident: Ident,
    pub(crate) file_name: String,
    pub(crate) alias: Option<String>,
    pub(crate) required: bool,
    /// Whether its setter takes nothing but the field's type.
    pub(crate) exact: bool,
    pub(crate) description: String,
}

/// What a field's `default` key says.
pub(crate) enum DefaultValue {
    /// No default: the field is required.
    None,
    Given(Expr),
    /// One of the wrong kind, reported already; the field still counts as having one.
    Wrong,
}

impl Attribute {
    /// As users write it.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Attribute::Config => "#[spark::config]",
            Attribute::Initializer => "#[spark::initializer]",
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Attribute::Config => "a config",
            Attribute::Initializer => "an initializer",
        }
    }
}

impl Parse for Attribute {
    fn parse(input: ParseStream) -> syn::Result<Attribute> {
        let name: Ident = input.parse()?;
        Ok(if name == "initializer" { Attribute::Initializer } else { Attribute::Config })
    }
}

impl ToTokens for Attribute {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Attribute::Config => quote!(config),
            Attribute::Initializer => quote!(initializer),
        });
    }
}

impl Config {
    /// The fields with values of their own.
    pub(crate) fn params(&self) -> impl Iterator<Item = &Param> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Param(param) => Some(param),
            Entry::Group(_) => None,
        })
    }
}

impl Entry {
    pub(crate) fn ident(&self) -> &Ident {
        match self {
            Entry::Param(param) => &param.ident,
            Entry::Group(group) => &group.ident,
        }
    }
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

impl Group {
    /// The value a field is given in place of the group's default.
    pub(crate) fn overridden(&self, field: &GroupField) -> Option<&Expr> {
        let key = self.overrides.iter().find(|key| key.name.unraw() == field.ident.unraw())?;
        key.value.as_ref()
    }

    /// Whether a field needs a value when the config is made.
    pub(crate) fn requires(&self, field: &GroupField) -> bool {
        field.required && self.overridden(field).is_none()
    }
}

impl Parse for GroupFields {
    fn parse(input: ParseStream) -> syn::Result<GroupFields> {
        let content;
        braced!(content in input);
        let mut fields = Vec::new();
        while !content.is_empty() {
            let ident = content.call(Ident::parse_any)?;
            let file_name = content.parse::<LitStr>()?.value();
            let alias = Some(content.parse::<LitStr>()?.value()).filter(|alias| !alias.is_empty());
            let required = content.parse::<LitBool>()?.value;
            let exact = content.parse::<LitBool>()?.value;
            let description = content.parse::<LitStr>()?.value();
            content.parse::<Token![;]>()?;
            fields.push(GroupField { ident, file_name, alias, required, exact, description });
        }
        Ok(GroupFields(fields))
    }
}

impl ToTokens for GroupFields {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let fields = self.0.iter().map(|GroupField { ident, file_name, alias, required, exact, description }| {
            let alias = alias.as_deref().unwrap_or_default();
            quote!(#ident #file_name #alias #required #exact #description;)
        });
        tokens.extend(quote!({ #(#fields)* }));
    }
}

/// The types of the flattened fields, where they can be groups.
pub(crate) fn groups(item: &ItemStruct) -> Vec<Path> {
    let flattened = |field: &&Field| field.attrs.iter().any(|attribute| attribute.path().is_ident("flatten"));
    item.fields.iter().filter(flattened).filter_map(|field| group_path(&field.ty)).cloned().collect()
}

/// A group is named by a path without generics: its macro has the same.
fn group_path(ty: &Type) -> Option<&Path> {
    match ty {
        Type::Path(path) if path.qself.is_none() => {
            Some(&path.path).filter(|path| path.segments.iter().all(|segment| segment.arguments.is_empty()))
        }
        _ => None,
    }
}

/// Reads `item`, whose groups have given `answers`; `None` if nothing can be made of it.
pub(crate) fn parse(
    attribute: Attribute,
    arguments: TokenStream,
    item: &mut ItemStruct,
    answers: &[GroupFields],
    ctxt: &mut Ctxt,
) -> Option<Config> {
    let name = item.ident.unraw().to_string();
    let (kind, common) = match attribute {
        Attribute::Config => config_keys(arguments, ctxt),
        Attribute::Initializer => {
            let given = items::name_key(arguments, attribute.text(), ctxt);
            (Kind::Initializer { name: given.map_or_else(|| name.clone(), |given| given.value()) }, false)
        }
    };
    let mut answers = answers.iter();
    let mut entries = Vec::with_capacity(item.fields.len());
    for field in item.fields.iter_mut() {
        entries.extend(parse_entry(field, &mut answers, ctxt));
    }
    if !item.generics.params.is_empty() {
        let message = format!("{} cannot be generic: files and the registry need one concrete type", attribute.noun());
        ctxt.error_at(&item.generics, message);
        return None;
    }
    let Fields::Named(fields) = &mut item.fields else {
        let message = format!("`{}` needs a struct with named fields: `struct Name {{ .. }}`", attribute.text());
        ctxt.error_at(&item.ident, message);
        return None;
    };
    if common {
        let public = matches!(item.vis, Visibility::Public(_));
        for mut field in common_fields() {
            if entries.iter().any(|entry| Some(entry.ident()) == field.ident.as_ref()) {
                continue;
            }
            if !public {
                field.vis = item.vis.clone();
            }
            entries.extend(parse_entry(&mut field, &mut answers, ctxt));
            fields.named.push(field);
        }
    }
    Some(Config {
        name: item.ident.clone(),
        visibility: item.vis.clone(),
        file_name: match &kind {
            Kind::Initializer { name } => format!("{name}Config"),
            Kind::Config | Kind::Group => name,
        },
        description: attrs::doc_text(&item.attrs),
        kind,
        entries,
    })
}

/// What `#[spark::config(..)]` asks for, and whether the common fields are to be added.
fn config_keys(arguments: TokenStream, ctxt: &mut Ctxt) -> (Kind, bool) {
    let keys = attrs::keys(arguments, Attribute::Config.text(), &["bare", "group"], ctxt);
    for key in &keys {
        if let Some(value) = &key.value {
            ctxt.error_at(value, format!("`{}` takes no value", key.name));
        }
    }
    let group = keys.iter().any(|key| key.name == "group");
    (if group { Kind::Group } else { Kind::Config }, keys.is_empty())
}

/// The fields every config has unless it is `bare` or a group.
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

/// Reads one field; `None` for a field without a name.
fn parse_entry<'a>(
    field: &mut Field,
    answers: &mut impl Iterator<Item = &'a GroupFields>,
    ctxt: &mut Ctxt,
) -> Option<Entry> {
    let Some(flatten) = attrs::take_one(&mut field.attrs, "flatten", ctxt) else {
        return parse_param(field, ctxt).map(Entry::Param);
    };
    for param in attrs::take(&mut field.attrs, "param") {
        ctxt.error_at(&param, "a field is one parameter (`#[param]`) or a group of them (`#[flatten]`), not both");
    }
    let overrides = attrs::any_keys(attrs::list_tokens(&flatten, ctxt), ctxt);
    let fields = match group_path(&field.ty) {
        Some(_) => answers.next(),
        None => {
            let message = "`#[flatten]` goes on a field whose type is a group: a struct with `#[spark::config(group)]`";
            ctxt.error_at(&field.ty, message);
            None
        }
    };
    if attrs::doc_text(&field.attrs).is_empty() {
        let doc = "A group of parameters, flattened.";
        field.attrs.push(parse_quote!(#[doc = #doc]));
    }
    Some(Entry::Group(Group {
        ident: field.ident.clone()?,
        ty: field.ty.clone(),
        overrides,
        fields: fields.map(|fields| fields.0.clone()).unwrap_or_default(),
        known: fields.is_some(),
    }))
}

/// Reads a field with a value of its own; `None` for a field without a name.
fn parse_param(field: &mut Field, ctxt: &mut Ctxt) -> Option<Param> {
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
