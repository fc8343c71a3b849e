//! `#[spark::config]`: a struct becomes a configuration.
//!
//! In: a struct with named fields, each with an optional `#[param(..)]`. Out: the struct with the common fields added, its
//! constructors and setters, and `impl Config`, whose static [spec](emit) drives reading, writing and documentation.
//! Invariant: whatever the mistakes in the parameters, all items are emitted, so that the only messages are ours.

mod check;
mod emit;
pub(crate) mod parse;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ItemStruct;

use crate::ctxt::Ctxt;

/// Expands the attribute `#[spark::config(attributes)]` on `item`.
pub(crate) fn expand(attributes: TokenStream, item: TokenStream) -> TokenStream {
    let mut item: ItemStruct = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(error) => {
            let error = syn::Error::new(error.span(), "`#[spark::config]` goes on a struct with named fields")
                .into_compile_error();
            return quote!(#item #error);
        }
    };
    let mut ctxt = Ctxt::default();
    let config = parse::parse(attributes, &mut item, &mut ctxt);
    let expansion = finish(config, item, &mut ctxt);
    let errors = ctxt.into_tokens();
    quote!(#expansion #errors)
}

/// Checks and emits what was read of `item`: the struct as it is, if that was nothing.
pub(crate) fn finish(config: Option<parse::Config>, item: ItemStruct, ctxt: &mut Ctxt) -> TokenStream {
    match config {
        Some(mut config) => {
            check::check(&mut config, ctxt);
            emit::emit(&config, item)
        }
        None => item.into_token_stream(),
    }
}
