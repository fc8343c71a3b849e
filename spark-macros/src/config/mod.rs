//! `#[spark::config]`: a struct becomes a configuration, or a group of parameters that configurations flatten.
//! `#[spark::initializer]` shares all of it: an initializer is a configuration, too.
//!
//! In: a struct with named fields, each with an optional `#[param(..)]`, or with `#[flatten]`. Out: the struct with the common
//! fields added, its constructors and setters, and `impl Config` ([`emit`]) or, of a group, `impl ConfigGroup` ([`group`]);
//! of an initializer also its registration ([`initializer`](mod@crate::initializer)).
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
use crate::{initializer, items};
pub(crate) use parse::Attribute;
use parse::{GroupFields, Kind};

/// Expands `attribute` with these arguments on `item`.
pub(crate) fn expand(attribute: Attribute, arguments: TokenStream, item: TokenStream) -> TokenStream {
    items::expand_struct(item, attribute.text(), |item, _| {
        let mut stripped = item.clone();
        let unread = &mut Ctxt::default();
        let parsed = parse::parse(attribute, arguments.clone(), &mut stripped, &[], unread);
        if parsed.is_some() {
            let derives = [
                ("Clone", quote!(::core::clone::Clone)),
                ("Debug", quote!(::core::fmt::Debug)),
                ("PartialEq", quote!(::core::cmp::PartialEq)),
            ];
            items::add_derives(&mut stripped, &derives);
        }
        let rest = proceed(Request { answers: Vec::new(), attribute, arguments, item });
        quote!(#stripped #rest)
    })
}

/// What travels from the configuration to its groups and back.
struct Request {
    /// The fields of the groups asked so far.
    answers: Vec<GroupFields>,
    /// The configuration's own attribute and tokens, as written.
    attribute: Attribute,
    arguments: TokenStream,
    item: ItemStruct,
}

impl Parse for Request {
    fn parse(input: ParseStream) -> syn::Result<Request> {
        let (answers, arguments);
        bracketed!(answers in input);
        let attribute = input.parse()?;
        parenthesized!(arguments in input);
        let (arguments, item) = (arguments.parse()?, input.parse()?);
        let mut request = Request { answers: Vec::new(), attribute, arguments, item };
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
    let Request { answers, attribute, arguments, mut item } = request;
    if let Some(next) = parse::groups(&item).into_iter().nth(answers.len()) {
        return quote!(#next! { [#(#answers)*] #attribute (#arguments) #item });
    }
    let mut ctxt = Ctxt::default();
    let config = parse::parse(attribute, arguments, &mut item, &answers, &mut ctxt);
    let expansion = config.map(|mut config| {
        check::check(&mut config, &mut ctxt);
        let emitted = emit::emit(&config);
        let kind = match &config.kind {
            Kind::Config => emit::implementation(&config),
            Kind::Group => group::emit(&config),
            Kind::Initializer { name } => {
                let (config, registration) = (emit::implementation(&config), initializer::emit(&config.name, name));
                quote!(#config #registration)
            }
        };
        quote!(#emitted #kind)
    });
    let errors = ctxt.into_tokens();
    quote!(#expansion #errors)
}
