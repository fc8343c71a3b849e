//! `#[spark::ports]`: a struct becomes input ports that several modules have.
//!
//! In: a struct whose fields are what the arguments of a step are, with documentation and `#[axis(..)]`. Out: the struct and
//! `impl InputPorts`: the ports' descriptions, and how the step's argument with `#[ports]` is made of what arrives.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Fields, ItemStruct};

use crate::ctxt::Ctxt;
use crate::module::check::{Port, check_duplicates, input_port};
use crate::module::emit_impl::{port_spec, taken};
use crate::module::parse_impl::take_axes;
use crate::{attrs, items};

const ATTRIBUTE: &str = "#[spark::ports]";

/// Expands the attribute `#[spark::ports(attributes)]` on `item`.
pub(crate) fn expand(attributes: TokenStream, item: TokenStream) -> TokenStream {
    items::expand_struct(item, ATTRIBUTE, |mut item, ctxt| {
        if !attributes.is_empty() {
            ctxt.error_at(&attributes, format!("`{ATTRIBUTE}` takes no keys"));
        }
        let ports = parse(&mut item, ctxt);
        check_duplicates(&ports, "input", ctxt);
        let group = emit(&item, &ports, ctxt.is_clean());
        quote!(#item #group)
    })
}

fn parse(item: &mut ItemStruct, ctxt: &mut Ctxt) -> Vec<Port> {
    if !item.generics.params.is_empty() {
        ctxt.error_at(&item.generics, "ports cannot be generic: their types are known when the program is compiled");
    }
    if !matches!(item.fields, Fields::Named(_)) {
        ctxt.error_at(&item.ident, format!("`{ATTRIBUTE}` needs a struct with named fields: `struct Name {{ .. }}`"));
        return Vec::new();
    }
    let mut ports = Vec::new();
    for field in item.fields.iter_mut() {
        let description = attrs::doc_text(&field.attrs);
        let axes = take_axes(&mut field.attrs, ctxt);
        ports.extend(input_port(field.ident.clone(), &field.ty, axes, description, ctxt));
    }
    ports
}

/// `impl InputPorts`, with bodies that are never run if the item is not `clean`.
fn emit(item: &ItemStruct, ports: &[Port], clean: bool) -> TokenStream {
    if !item.generics.params.is_empty() {
        return TokenStream::new();
    }
    let ident = &item.ident;
    let (specs, make) = match clean {
        true => {
            let specs = ports.iter().map(|port| port_spec(port, false));
            let names = ports.iter().map(|port| &port.name);
            let takes = ports.iter().enumerate().map(|(index, port)| taken(port, &quote!(first + #index)));
            (quote!(&[#(#specs),*]), quote!(::core::result::Result::Ok(Self { #(#names: #takes),* })))
        }
        false => (quote!(&[]), quote!(::core::unreachable!())),
    };
    quote! {
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl ::spark::__private::InputPorts for #ident {
            const PORTS: &'static [::spark::__private::PortSpecs] = #specs;

            #[allow(unused_variables)]
            fn take(args: &mut ::spark::__private::Args, first: usize) -> ::spark::__private::Result<Self> {
                #make
            }
        }
    }
}
