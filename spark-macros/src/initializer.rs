//! `#[spark::initializer]`: a struct becomes the configuration of an initializer.
//!
//! In: a struct with named fields, each with an optional `#[param(..)]`. Out: what `#[spark::config(bare)]` makes of it, its
//! registered name, and the registry entry. How it draws is an `impl Initializer`, an ordinary trait of the user's to write;
//! the registry entry asks for it at the struct's name.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{ItemStruct, LitStr};

use crate::config::{self, parse};
use crate::ctxt::Ctxt;
use crate::items;

/// Expands the attribute `#[spark::initializer(attributes)]` on `item`.
pub(crate) fn expand(attributes: TokenStream, item: TokenStream) -> TokenStream {
    items::expand_struct(item, "#[spark::initializer]", |mut item, ctxt| {
        let name = items::name_key(attributes, "#[spark::initializer]", ctxt);
        let config = parse::parse_bare(&mut item, "an initializer", "#[spark::initializer]", ctxt);
        expand_struct(config, name, item, ctxt)
    })
}

fn expand_struct(
    config: Option<parse::Config>,
    name: Option<LitStr>,
    item: ItemStruct,
    ctxt: &mut Ctxt,
) -> TokenStream {
    let ident = item.ident.clone();
    let name = name.map_or_else(|| ident.unraw().to_string(), |name| name.value());
    let config = config.map(|config| parse::Config { file_name: format!("{name}Config"), ..config });
    let registration = config.is_some().then(|| {
        // The span makes a missing `impl Initializer` a mistake at the struct's name.
        let spec = quote_spanned! {ident.span()=> ::spark::__private::InitializerSpec::of::<#ident> };
        quote! {
            #[automatically_derived]
            #[diagnostic::do_not_recommend]
            impl ::spark::__private::InitializerType for #ident {
                const NAME: &'static str = #name;
            }

            ::spark::__private::submit! {
                ::spark::__private::Registered::Initializer(#spec, ::core::file!(), ::core::line!())
            }
        }
    });
    let config = config::finish(config, item, ctxt);
    quote!(#config #registration)
}
