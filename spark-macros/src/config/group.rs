//! Writes what makes a struct a group of parameters: `impl ConfigGroup`, the types of its fields, and the macro that tells a
//! configuration which fields the group has.
//!
//! The macro has the group's own name, so that whoever names the type can ask the macro. It answers with
//! [`GroupFields`], as a call of `::spark::__private::flatten!`, see [`super`].

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Visibility;
use syn::ext::IdentExt;

use super::emit::{self, Access};
use super::parse::{Config, DefaultValue, Entry, GroupField, GroupFields};

/// Everything a group has and a config has not.
pub(crate) fn emit(config: &Config) -> TokenStream {
    let name = &config.name;
    let specs = emit::field_specs(config);
    let Access { reads, value, writes } = emit::access(config);
    let types = types(config).into_iter().enumerate().map(|(index, ty)| {
        quote! {
            #[automatically_derived]
            impl ::spark::__private::GroupField<#index> for #name {
                type Type = #ty;
            }
        }
    });
    let answer = answer(config);
    let allow = emit::allow_unreachable(config);
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        #allow
        impl ::spark::__private::ConfigGroup for #name {
            const FIELDS: &'static [::spark::__private::FieldSpec] = &[#(#specs),*];

            fn read(
                values: &::spark::__private::ConfigValues,
                fields: &[::spark::__private::FieldSpec],
                errors: &mut ::spark::__private::ConfigErrors,
            ) -> ::core::option::Option<Self> {
                #reads
                #value
            }

            fn write(&self, values: &mut ::spark::__private::ConfigValues) {
                #writes
            }
        }
        #(#types)*
        #answer
    }
}

/// The types of all fields, in the order of [`fields`].
fn types(config: &Config) -> Vec<TokenStream> {
    let mut types = Vec::new();
    for entry in &config.entries {
        match entry {
            Entry::Param(param) => types.push(param.ty.to_token_stream()),
            Entry::Group(group) => {
                types.extend((0..group.fields.len()).map(|index| emit::leaf_type(&group.ty, index)));
            }
        }
    }
    types
}

/// All fields, those of flattened groups in place.
fn fields(config: &Config) -> GroupFields {
    let mut fields = Vec::new();
    for entry in &config.entries {
        match entry {
            Entry::Param(param) => fields.push(GroupField {
                ident: param.ident.clone(),
                file_name: param.file_name(),
                alias: param.alias.as_ref().map(|alias| alias.value()),
                required: matches!(param.default, DefaultValue::None),
                exact: emit::is_exact(&param.ty),
                description: param.description.clone(),
            }),
            Entry::Group(group) => {
                let own = |field: &GroupField| GroupField { required: group.requires(field), ..field.clone() };
                fields.extend(group.fields.iter().map(own));
            }
        }
    }
    GroupFields(fields)
}

/// The macro that has the group's name.
fn answer(config: &Config) -> TokenStream {
    let (name, visibility, fields) = (&config.name, &config.visibility, fields(config));
    let internal = format_ident!("__spark_group_{}", name.unraw());
    // Only an exported macro can be re-exported publicly.
    let export = matches!(visibility, Visibility::Public(_)).then(|| quote!(#[macro_export]));
    quote! {
        #[doc(hidden)]
        #export
        #[allow(unused_macros, non_local_definitions)]
        macro_rules! #internal {
            ([$($answers:tt)*] $($request:tt)*) => {
                ::spark::__private::flatten! { [$($answers)* #fields] $($request)* }
            };
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        #visibility use #internal as #name;
    }
}
