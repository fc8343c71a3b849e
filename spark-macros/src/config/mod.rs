//! `#[spark::config]`: a struct becomes a configuration, or a group of parameters that configurations flatten.
//!
//! In: a struct with named fields, each with an optional `#[param(..)]`, or with `#[flatten]`. Out: the struct with the common
//! fields added, its constructors and setters, and `impl Config` ([`emit`]) or, of a group, `impl ConfigGroup` ([`group`]).
//! Invariant: whatever the mistakes in the parameters, all items are emitted, so that the only messages are ours.
//!
//! A macro sees the tokens of one item, but a configuration that flattens a group needs the names of the group's fields. So a
//! group leaves a `macro_rules!` macro of its own name beside it, which answers with that list. [`expand`] emits the struct and
//! asks the first group; each answer arrives in [`continued`], which asks the next; after the last one it emits the rest.

mod check;
mod emit;
mod group;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{ItemStruct, bracketed, parenthesized};

use crate::ctxt::Ctxt;
use parse::GroupFields;

/// Expands the attribute `#[spark::config(attributes)]` on `item`.
pub(crate) fn expand(attributes: TokenStream, item: TokenStream) -> TokenStream {
    let item: ItemStruct = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(error) => {
            let error = syn::Error::new(error.span(), "`#[spark::config]` goes on a struct with named fields")
                .into_compile_error();
            return quote!(#item #error);
        }
    };
    let mut stripped = item.clone();
    let parsed = parse::parse(attributes.clone(), &mut stripped, &[], &mut Ctxt::default());
    if parsed.is_some() {
        emit::add_derives(&mut stripped);
    }
    let rest = proceed(Request { answers: Vec::new(), attributes, item });
    quote!(#stripped #rest)
}

/// What travels from the configuration to its groups and back.
struct Request {
    /// The fields of the groups asked so far.
    answers: Vec<GroupFields>,
    /// The configuration's own attributes and tokens, as written.
    attributes: TokenStream,
    item: ItemStruct,
}

impl Parse for Request {
    fn parse(input: ParseStream) -> syn::Result<Request> {
        let (answers, attributes);
        bracketed!(answers in input);
        parenthesized!(attributes in input);
        let mut request = Request { answers: Vec::new(), attributes: attributes.parse()?, item: input.parse()? };
        while !answers.is_empty() {
            request.answers.push(answers.parse()?);
        }
        Ok(request)
    }
}

/// Goes on with a configuration whose group has answered.
pub(crate) fn continued(input: TokenStream) -> TokenStream {
    match syn::parse2(input) {
        Ok(request) => proceed(request),
        Err(error) => error.into_compile_error(),
    }
}

/// Asks the next group, or emits everything but the struct.
fn proceed(request: Request) -> TokenStream {
    let Request { answers, attributes, mut item } = request;
    if let Some(next) = parse::groups(&item).into_iter().nth(answers.len()) {
        return quote!(#next! { [#(#answers)*] (#attributes) #item });
    }
    let mut ctxt = Ctxt::default();
    let config = parse::parse(attributes, &mut item, &answers, &mut ctxt);
    let expansion = config.map(|mut config| {
        check::check(&mut config, &mut ctxt);
        let emitted = emit::emit(&config);
        let kind = if config.is_group { group::emit(&config) } else { emit::implementation(&config) };
        quote!(#emitted #kind)
    });
    let errors = ctxt.into_tokens();
    quote!(#expansion #errors)
}
