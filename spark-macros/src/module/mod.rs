//! `#[spark::module]`: a struct and its `impl` block become a module.
//!
//! The struct half says what each field is and emits `impl ModuleFields`; the `impl` half says what the ports are, rewrites the
//! method bodies ([`crate::rewrite`]) and emits `impl Module` and the registry entry. The halves do not see each other: what one
//! needs of the other it reaches through `<Type as ModuleFields>`, so the order of the two items is free. Properties come from
//! both: of fields with `property = ..`, and of methods with `#[property]`.
//! Invariant: with mistakes in either half the trait impl is still emitted (with bodies that are never run), so that the only
//! messages are ours.

mod axes;
pub(crate) mod check;
pub(crate) mod emit_impl;
pub(crate) mod emit_struct;
pub(crate) mod parse_impl;
pub(crate) mod parse_struct;

use proc_macro2::TokenStream;
use quote::quote;
use syn::Item;

use crate::ctxt::Ctxt;

/// Expands the attribute `#[spark::module(attributes)]` on `item`.
pub(crate) fn expand(attributes: TokenStream, item: TokenStream) -> TokenStream {
    let mut ctxt = Ctxt::default();
    let expansion = match syn::parse2(item.clone()) {
        Ok(Item::Struct(mut item)) => {
            let model = parse_struct::parse(attributes, &mut item, &mut ctxt);
            let model = model.filter(|model| check::check_struct(model, &mut ctxt));
            let fields = model.map(|model| emit_struct::emit(&model));
            quote!(#item #fields)
        }
        Ok(Item::Impl(mut item)) => {
            let model = parse_impl::parse(attributes, &mut item, &mut ctxt);
            let ports = check::check_impl(&model, &mut ctxt);
            crate::rewrite::rewrite_impl(&mut item, &model.host_functions, &mut ctxt);
            let module = emit_impl::emit(&model, ports.as_ref(), ctxt.is_clean());
            quote!(#item #module)
        }
        Ok(_) => {
            ctxt.error(proc_macro2::Span::call_site(), "`#[spark::module]` goes on a struct and on its `impl` block");
            item
        }
        Err(error) => {
            ctxt.push(error);
            item
        }
    };
    let errors = ctxt.into_tokens();
    quote!(#expansion #errors)
}
