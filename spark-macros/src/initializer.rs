//! `#[spark::initializer]`: a struct becomes the configuration of an initializer.
//!
//! In: a struct as [`config`](mod@crate::config) takes it. Out: what `#[spark::config(bare)]` makes of it, its registered name, and
//! the registry entry. How it draws is an `impl Initializer`, an ordinary trait of the user's to write; the registry entry
//! asks for it at the struct's name.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Ident;

/// What an initializer has and other configurations have not: the name it is registered by, and the entry.
pub(crate) fn emit(ident: &Ident, name: &str) -> TokenStream {
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
}
