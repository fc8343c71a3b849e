//! Writes the constructor and setters of a config or group, and `impl Config`.
//!
//! What comes out is static data and calls: the spec is a `static`, reading and writing are one call per field, and a default
//! is converted by `FromDefault`, whose call carries the span of the user's expression. A flattened group's fields are those
//! of its `ConfigGroup::FIELDS`, in place.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, Type};

use super::check::CHECKS;
use super::parse::{Config, DefaultValue, Entry, Group, Param};

/// What configs and groups have in common.
pub(crate) fn emit(config: &Config) -> TokenStream {
    let constructor = constructor(config);
    let setters = setters(config);
    quote!(#constructor #setters)
}

/// `value` converted to a field's type.
fn converted(ty: impl ToTokens, value: &syn::Expr) -> TokenStream {
    quote_spanned! {value.span()=>
        <#ty as ::spark::__private::FromDefault<_>>::from_default(#value)
    }
}

/// The field's default as a value of the field's type; `None` for a required field.
fn default_value(param: &Param) -> Option<TokenStream> {
    match &param.default {
        DefaultValue::None => None,
        DefaultValue::Wrong => Some(quote!(::core::unreachable!())),
        DefaultValue::Given(value) => Some(converted(&param.ty, value)),
    }
}

/// The type of a group's field, as the group tells it.
pub(super) fn leaf_type(group: &Type, index: usize) -> TokenStream {
    leaf_type_at(group, index, Span::call_site())
}

fn leaf_type_at(group: &Type, index: usize, span: Span) -> TokenStream {
    quote_spanned!(span=> <#group as ::spark::__private::GroupField<#index>>::Type)
}

/// The group with its required fields, and its defaults or what replaces them.
fn group_value(group: &Group) -> TokenStream {
    let ty = &group.ty;
    if !group.known {
        return quote!(::core::unreachable!());
    }
    let (mut arguments, mut setters) = (Vec::new(), Vec::new());
    for (index, field) in group.fields.iter().enumerate() {
        let value = group.overridden(field).map(|value| converted(leaf_type_at(ty, index, value.span()), value));
        match (field.required, value) {
            (true, value) => arguments.push(value.unwrap_or_else(|| field.ident.to_token_stream())),
            (false, Some(value)) => {
                let setter = format_ident!("with_{}", field.ident.unraw());
                setters.push(quote!(.#setter(#value)));
            }
            (false, None) => {}
        }
    }
    match arguments.is_empty() {
        true => quote!(<#ty as ::core::default::Default>::default()#(#setters)*),
        false => quote!(<#ty>::new(#(#arguments),*)#(#setters)*),
    }
}

/// `impl Default`, or `new` with the required fields.
fn constructor(config: &Config) -> TokenStream {
    let name = &config.name;
    let mut required = Vec::new();
    let mut types = Vec::new();
    let mut values = Vec::new();
    for entry in &config.entries {
        let ident = entry.ident();
        let value = match entry {
            Entry::Param(param) => default_value(param).unwrap_or_else(|| {
                required.push(ident);
                types.push(argument(&param.ty, is_exact(&param.ty)));
                quote!(::core::convert::Into::into(#ident))
            }),
            Entry::Group(group) => {
                for (index, field) in group.fields.iter().enumerate().filter(|(_, field)| group.requires(field)) {
                    required.push(&field.ident);
                    types.push(argument(leaf_type(&group.ty, index), field.exact));
                }
                group_value(group)
            }
        };
        values.push(quote!(#ident: #value));
    }
    let allow = allow_unreachable(config);
    if required.is_empty() {
        return quote! {
            #[automatically_derived]
            #allow
            impl ::core::default::Default for #name {
                fn default() -> Self {
                    Self { #(#values),* }
                }
            }
        };
    }
    let doc = "The configuration with these required fields and the default of every other.";
    quote! {
        #[automatically_derived]
        #allow
        impl #name {
            #[doc = #doc]
            #[allow(clippy::too_many_arguments, unreachable_pub)]
            #[must_use]
            pub fn new(#(#required: #types),*) -> Self {
                Self { #(#values),* }
            }
        }
    }
}

/// A value in place of a wrong default, or of a group that is none, is never made, and is no second mistake of the user's.
pub(super) fn allow_unreachable(config: &Config) -> Option<TokenStream> {
    let wrong = config.entries.iter().any(|entry| match entry {
        Entry::Param(param) => matches!(param.default, DefaultValue::Wrong),
        Entry::Group(group) => !group.known,
    });
    wrong.then(|| quote!(#[allow(unreachable_code)]))
}

/// Whether an argument for a field is taken as it is. An integer is, since a literal would be an `i32` that does not convert.
pub(super) fn is_exact(ty: &Type) -> bool {
    const INTEGERS: [&str; 8] = ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i64"];
    matches!(ty, Type::Path(path) if INTEGERS.iter().any(|name| path.path.is_ident(name)))
}

/// The type of an argument for a field of type `ty`: that type, or what converts into it.
fn argument(ty: impl ToTokens, exact: bool) -> TokenStream {
    if exact { quote!(#ty) } else { quote!(impl ::core::convert::Into<#ty>) }
}

/// One chained setter per field, those of groups included.
fn setters(config: &Config) -> TokenStream {
    let name = &config.name;
    let mut setters = Vec::new();
    // Names that clash are reported; their setters need not be.
    let mut seen = HashSet::new();
    let mut add = |field: &Ident, span: Span, argument: TokenStream, description: &str, set: TokenStream| {
        let field = field.unraw();
        let setter = format_ident!("with_{}", field, span = span);
        if !seen.insert(field.to_string()) {
            return;
        }
        let mut doc = format!("Sets `{field}`.");
        if !description.is_empty() {
            doc = format!("{doc} {description}");
        }
        setters.push(quote! {
            #[doc = #doc]
            #[allow(dead_code, unreachable_pub)]
            #[must_use]
            pub fn #setter(mut self, value: #argument) -> Self {
                #set
                self
            }
        });
    };
    for entry in &config.entries {
        let ident = entry.ident();
        match entry {
            Entry::Param(param) => {
                let set = quote!(self.#ident = ::core::convert::Into::into(value););
                let argument = argument(&param.ty, is_exact(&param.ty));
                add(ident, ident.span(), argument, &param.description, set);
            }
            Entry::Group(group) => {
                for (index, field) in group.fields.iter().enumerate() {
                    let setter = format_ident!("with_{}", field.ident.unraw());
                    let set = quote!(self.#ident = self.#ident.#setter(value););
                    let argument = argument(leaf_type(&group.ty, index), field.exact);
                    add(&field.ident, ident.span(), argument, &field.description, set);
                }
            }
        }
    }
    quote! {
        #[automatically_derived]
        impl #name {
            #(#setters)*
        }
    }
}

/// `impl Config` and the registry entry.
pub(crate) fn implementation(config: &Config) -> TokenStream {
    let name = &config.name;
    let name_text = &config.file_name;
    let description = &config.description;
    let fields = field_specs(config);
    let Access { reads, value, writes } = access(config);
    let common = common_getters(config);
    let allow = allow_unreachable(config);
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        #allow
        impl ::spark::__private::Config for #name {
            fn spec() -> &'static ::spark::__private::ConfigSpec {
                static SPEC: ::spark::__private::ConfigSpec = ::spark::__private::ConfigSpec {
                    name: #name_text,
                    description: #description,
                    fields: &[#(#fields),*],
                };
                &SPEC
            }

            fn from_values(
                values: &::spark::__private::ConfigValues,
                errors: &mut ::spark::__private::ConfigErrors,
            ) -> ::core::option::Option<Self> {
                let fields = <Self as ::spark::__private::Config>::spec().fields;
                #reads
                #value
            }

            fn to_values(&self) -> ::spark::__private::ConfigValues {
                let mut written = ::spark::__private::ConfigValues::new(
                    <Self as ::spark::__private::Config>::spec(),
                );
                let values = &mut written;
                #writes
                written
            }

            #common
        }

        ::spark::__private::submit! {
            ::spark::__private::Registered::Config(
                <#name as ::spark::__private::Config>::spec,
                ::core::file!(),
                ::core::line!(),
            )
        }
    }
}

/// Statements that read and write every field, against a slice `fields` of their specs and `values`.
pub(super) struct Access {
    pub(super) reads: TokenStream,
    /// What was read, as `Option<Self>`.
    pub(super) value: TokenStream,
    pub(super) writes: TokenStream,
}

pub(super) fn access(config: &Config) -> Access {
    let (mut reads, mut writes) = (TokenStream::new(), TokenStream::new());
    let mut made = Vec::new();
    let mut at = 0_usize;
    for entry in &config.entries {
        let ident = entry.ident();
        // Locals carry their own hygiene: a field may be called `values` or `errors`.
        let local = local(ident);
        let span = |ty: &Type| Span::mixed_site().located_at(ty.span());
        match entry {
            Entry::Param(param) => {
                let (ty, file_name) = (&param.ty, param.file_name());
                reads.extend(quote_spanned!(span(ty)=> let #local = values.read::<#ty>(&fields[#at], errors);));
                writes.extend(quote_spanned!(span(ty)=> values.write(#file_name, &self.#ident);));
                at += 1;
            }
            Entry::Group(group) if !group.known => {
                made.push(quote!(#ident: ::core::unreachable!()));
                continue;
            }
            Entry::Group(group) => {
                let ty = &group.ty;
                let end = at + group.fields.len();
                let of = quote_spanned!(span(ty)=> <#ty as ::spark::__private::ConfigGroup>);
                reads.extend(quote_spanned!(span(ty)=> let #local = #of::read(values, &fields[#at..#end], errors);));
                writes.extend(quote_spanned!(span(ty)=> #of::write(&self.#ident, values);));
                at = end;
            }
        }
        made.push(quote!(#ident: #local?));
    }
    let value = quote!(::core::option::Option::Some(Self { #(#made),* }));
    Access { reads, value, writes }
}

/// The specs of every field, those of groups in place.
pub(super) fn field_specs(config: &Config) -> Vec<TokenStream> {
    let mut specs = Vec::new();
    for entry in &config.entries {
        match entry {
            Entry::Param(param) => specs.push(field_spec(param)),
            Entry::Group(group) => {
                for (index, field) in group.fields.iter().enumerate() {
                    let ty = &group.ty;
                    let own = quote!(<#ty as ::spark::__private::ConfigGroup>::FIELDS[#index]);
                    specs.push(match group.overridden(field) {
                        None => own,
                        Some(value) => {
                            let default = option(Some(stored(converted(leaf_type_at(ty, index, value.span()), value))));
                            quote!(::spark::__private::FieldSpec { default: #default, ..#own })
                        }
                    });
                }
            }
        }
    }
    specs
}

/// A local variable for the value of a field.
fn local(field: &Ident) -> Ident {
    format_ident!("field_{}", field.unraw(), span = Span::mixed_site())
}

/// A function that gives `value` untyped.
fn stored(value: TokenStream) -> TokenStream {
    quote!(|| ::spark::__private::IntoConfigValue::into_value(&#value))
}

fn field_spec(param: &Param) -> TokenStream {
    let name = param.file_name();
    let alias = option(param.alias.as_ref());
    let units = option(param.units.as_ref());
    let type_name = type_name(&param.ty);
    let description = &param.description;
    let checks = param.checks.iter().map(|check| {
        let own = check.get_ident().is_some_and(|name| CHECKS.iter().any(|known| name == known));
        let scope = own.then(|| quote!(::spark::__private::checks::));
        quote_spanned!(check.span()=> <#scope #check as ::spark::__private::Validator>::SPEC)
    });
    let default = option(default_value(param).map(stored));
    let python_default = option(param.python_default.as_ref().map(|value| stored(converted(&param.ty, value))));
    // The type of the unreachable value of a wrong default cannot be inferred.
    let default = match param.default {
        DefaultValue::Wrong => quote!(::core::option::Option::Some(|| ::core::unreachable!())),
        _ => default,
    };
    quote! {
        ::spark::__private::FieldSpec {
            name: #name,
            alias: #alias,
            type_name: #type_name,
            units: #units,
            description: #description,
            checks: &[#(#checks),*],
            default: #default,
            python_default: #python_default,
        }
    }
}

/// `seed`, `dtype` and `dt` of the trait, for those that are fields.
fn common_getters(config: &Config) -> TokenStream {
    let types = [("seed", quote!(u32)), ("dtype", quote!(::spark::__private::DType)), ("dt", quote!(f64))];
    let mut getters = TokenStream::new();
    for (name, ty) in types {
        if let Some(param) = config.params().find(|param| param.ident == name) {
            let ident = &param.ident;
            getters.extend(quote! {
                fn #ident(&self) -> #ty {
                    self.#ident
                }
            });
        }
    }
    getters
}

fn option(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// The type as a reader would write it, without paths: `Option<Param>`.
fn type_name(ty: &syn::Type) -> String {
    let text = without_paths(ty.to_token_stream()).to_string();
    let tight = [(" < ", "<"), (" >", ">"), (" ,", ","), (" :: ", "::"), (" ;", ";"), ("& ", "&")];
    tight.iter().fold(text, |text, (loose, tight)| text.replace(loose, tight))
}

/// The tokens without what stands before a `::`.
fn without_paths(tokens: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
    while let Some(token) = tokens.next() {
        if is_colon(&token) && tokens.next_if(is_colon).is_some() {
            kept.pop_if(|before| matches!(before, TokenTree::Ident(_)));
        } else {
            kept.push(token);
        }
    }
    kept.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::type_name;
    use syn::parse_quote;

    #[test]
    fn type_names_read_as_written() {
        let ty = parse_quote!(std::option::Option<Vec<Param>>);
        assert_eq!(type_name(&ty), "Option<Vec<Param>>");
        let ty = parse_quote!(::std::vec::Vec<::spark::__private::ModuleSpecs>);
        assert_eq!(type_name(&ty), "Vec<ModuleSpecs>");
        let ty = parse_quote!(Map<String, f64>);
        assert_eq!(type_name(&ty), "Map<String, f64>");
    }
}
