//! Writes the struct, its constructors and setters, and `impl Config`.
//!
//! What comes out is static data and calls: the spec is a `static`, reading and writing are one call per field, and a default
//! is converted by `FromDefault`, whose call carries the span of the user's expression.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, ItemStruct};

use super::check::CHECKS;
use super::parse::{Config, DefaultValue, Param};
use crate::items;

/// All items for `config`; `item` is the struct without helper attributes.
pub(crate) fn emit(config: &Config, mut item: ItemStruct) -> TokenStream {
    items::add_derives(
        &mut item,
        &[
            ("Clone", quote!(::core::clone::Clone)),
            ("Debug", quote!(::core::fmt::Debug)),
            ("PartialEq", quote!(::core::cmp::PartialEq)),
        ],
    );
    let constructor = constructor(config);
    let setters = setters(config);
    let implementation = implementation(config);
    let name = &config.name;
    quote! {
        #item
        #constructor
        #setters
        #implementation
        ::spark::__private::submit! {
            ::spark::__private::Registered::Config(
                <#name as ::spark::__private::Config>::spec,
                ::core::file!(),
                ::core::line!(),
            )
        }
    }
}

/// `value` converted to the field's type.
fn converted(param: &Param, value: &syn::Expr) -> TokenStream {
    let ty = &param.ty;
    quote_spanned! {value.span()=>
        <#ty as ::spark::__private::FromDefault<_>>::from_default(#value)
    }
}

/// The field's default as a value of the field's type; `None` for a required field.
fn default_value(param: &Param) -> Option<TokenStream> {
    match &param.default {
        DefaultValue::None => None,
        DefaultValue::Wrong => Some(quote!(::core::unreachable!())),
        DefaultValue::Given(value) => Some(converted(param, value)),
    }
}

/// `impl Default`, or `new` with the required fields.
fn constructor(config: &Config) -> TokenStream {
    let name = &config.name;
    let mut required = Vec::new();
    let mut types = Vec::new();
    let mut values = Vec::new();
    for param in &config.fields {
        let (ident, ty) = (&param.ident, &param.ty);
        values.push(match default_value(param) {
            Some(value) => quote!(#ident: #value),
            None => {
                required.push(ident);
                types.push(argument(ty));
                quote!(#ident: ::core::convert::Into::into(#ident))
            }
        });
    }
    // The value in place of a wrong default is never made, and is no second mistake of the user's.
    let wrong = config.fields.iter().any(|param| matches!(param.default, DefaultValue::Wrong));
    let allow = wrong.then(|| quote!(#[allow(unreachable_code)]));
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

/// The type of an argument for a field of type `ty`: what converts into it. An integer is taken as it is, since a literal
/// would be an `i32` that does not convert.
fn argument(ty: &syn::Type) -> TokenStream {
    const INTEGERS: [&str; 8] = ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i64"];
    let integer = matches!(ty, syn::Type::Path(path) if INTEGERS.iter().any(|name| path.path.is_ident(name)));
    if integer { quote!(#ty) } else { quote!(impl ::core::convert::Into<#ty>) }
}

/// One chained setter per field.
fn setters(config: &Config) -> TokenStream {
    let name = &config.name;
    let setters = config.fields.iter().map(|param| {
        let (ident, argument) = (&param.ident, argument(&param.ty));
        let setter = format_ident!("with_{}", ident.unraw(), span = ident.span());
        let mut doc = format!("Sets `{}`.", ident.unraw());
        if !param.description.is_empty() {
            doc = format!("{doc} {}", param.description);
        }
        quote! {
            #[doc = #doc]
            #[allow(dead_code, unreachable_pub)]
            #[must_use]
            pub fn #setter(mut self, value: #argument) -> Self {
                self.#ident = ::core::convert::Into::into(value);
                self
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #name {
            #(#setters)*
        }
    }
}

fn implementation(config: &Config) -> TokenStream {
    let name = &config.name;
    let name_text = &config.file_name;
    let description = &config.description;
    let specs = config.fields.iter().map(field_spec);
    let idents: Vec<&Ident> = config.fields.iter().map(|param| &param.ident).collect();
    let reads = config.fields.iter().enumerate().map(|(index, param)| {
        let (ident, ty) = (&param.ident, &param.ty);
        // The local carries its own hygiene: a field may be called `values` or `errors`.
        let local = local(ident);
        quote_spanned! {ty.span()=>
            let #local = values.read::<#ty>(&spec.fields[#index], errors);
        }
    });
    let locals = idents.iter().map(|ident| local(ident));
    let writes = config.fields.iter().map(|param| {
        let (ident, file_name) = (&param.ident, param.file_name());
        quote_spanned!(param.ty.span()=> values.write(#file_name, &self.#ident);)
    });
    let common = common_getters(config);
    quote! {
        #[automatically_derived]
        impl ::spark::__private::Config for #name {
            fn spec() -> &'static ::spark::__private::ConfigSpec {
                static SPEC: ::spark::__private::ConfigSpec = ::spark::__private::ConfigSpec {
                    name: #name_text,
                    description: #description,
                    fields: &[#(#specs),*],
                };
                &SPEC
            }

            fn from_values(
                values: &::spark::__private::ConfigValues,
                errors: &mut ::spark::__private::ConfigErrors,
            ) -> ::core::option::Option<Self> {
                let spec = <Self as ::spark::__private::Config>::spec();
                #(#reads)*
                ::core::option::Option::Some(Self { #(#idents: #locals?),* })
            }

            fn to_values(&self) -> ::spark::__private::ConfigValues {
                let mut values = ::spark::__private::ConfigValues::new(
                    <Self as ::spark::__private::Config>::spec(),
                );
                #(#writes)*
                values
            }

            #common
        }
    }
}

/// A local variable for the value of a field.
fn local(field: &Ident) -> Ident {
    format_ident!("field_{}", field.unraw(), span = Span::mixed_site())
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
    let stored = |value: TokenStream| quote!(|| ::spark::__private::IntoConfigValue::into_value(&#value));
    let default = option(default_value(param).map(stored));
    let python_default = option(param.python_default.as_ref().map(|value| stored(converted(param, value))));
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
        if let Some(param) = config.fields.iter().find(|param| param.ident == name) {
            let ident = &param.ident;
            getters.extend(quote_spanned! {ident.span()=>
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

/// The type's last path segment as a reader would write it: `Option<Param>`.
fn type_name(ty: &syn::Type) -> String {
    let tokens = match ty {
        syn::Type::Path(path) => path.path.segments.last().to_token_stream(),
        other => other.to_token_stream(),
    };
    let text = tokens.to_string();
    let tight = [(" < ", "<"), (" >", ">"), (" ,", ","), (" :: ", "::"), (" ;", ";"), ("& ", "&")];
    tight.iter().fold(text, |text, (loose, tight)| text.replace(loose, tight))
}

#[cfg(test)]
mod tests {
    use super::type_name;
    use syn::parse_quote;

    #[test]
    fn type_names_read_as_written() {
        let ty = parse_quote!(std::option::Option<Vec<Param>>);
        assert_eq!(type_name(&ty), "Option<Vec<Param>>");
        let ty = parse_quote!(Map<String, f64>);
        assert_eq!(type_name(&ty), "Map<String, f64>");
    }
}
