//! `#[spark::neuron]`: a unit struct becomes a registered neuron type.
//!
//! In: a struct without fields, whose documentation is the type's. Out: the struct, its configuration (the struct's name with
//! `Config` after it, by way of `#[spark::config]`), and the registry entry. Its modules are an `impl NeuronModel`, an ordinary
//! trait of the user's to write; the configuration and the entry ask for it at the struct's name.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ItemStruct;
use syn::ext::IdentExt;

use crate::ctxt::Ctxt;
use crate::{attrs, items};

const ATTRIBUTE: &str = "#[spark::neuron]";

/// Expands the attribute `#[spark::neuron(attributes)]` on `item`.
pub(crate) fn expand(attributes: TokenStream, item: TokenStream) -> TokenStream {
    items::expand_struct(item, ATTRIBUTE, |item, ctxt| {
        if !attributes.is_empty() {
            ctxt.error_at(&attributes, format!("`{ATTRIBUTE}` takes no keys"));
        }
        check(&item, ctxt);
        let neuron = ctxt.is_clean().then(|| emit(&item));
        quote!(#item #neuron)
    })
}

fn check(item: &ItemStruct, ctxt: &mut Ctxt) {
    if !item.generics.params.is_empty() {
        ctxt.error_at(&item.generics, "a neuron type cannot be generic: the registry knows it by name");
    }
    if let Some(field) = item.fields.iter().next() {
        let message = "a neuron type has no fields: its modules have the state, and its configuration the parameters";
        ctxt.error_at(field, message);
    }
}

fn emit(item: &ItemStruct) -> TokenStream {
    let (ident, visibility, description) = (&item.ident, &item.vis, attrs::doc_text(&item.attrs));
    let name = ident.unraw().to_string();
    let config = format_ident!("{name}Config", span = ident.span());
    let about = format!("Parameters of [`{name}`].");
    // The span makes a missing `impl NeuronModel` a mistake at the struct's name.
    let modules = quote_spanned!(ident.span()=> <#ident as ::spark::__private::NeuronModel>::modules);
    quote! {
        #[doc = #about]
        #[::spark::config(bare)]
        #visibility struct #config {
            /// The population's modules and their connections.
            #[param(default = #modules())]
            pub modules_specs: ::std::vec::Vec<::spark::__private::ModuleSpecs>,
            /// Seed of the inhibition mask.
            #[param(default = 0)]
            pub seed: u32,
            /// Time step.
            #[param(default = 1.0, units = "ms", check = positive)]
            pub dt: f64,
            /// Shape of the population.
            pub units: ::spark::__private::Units,
            /// Share of inhibitory neurons.
            #[param(default = 0.2, check = zero_one)]
            pub inhibitory_rate: f64,
        }

        ::spark::__private::submit! {
            ::spark::__private::Registered::Neuron(
                || {
                    static SPEC: ::spark::__private::NeuronType = ::spark::__private::NeuronType {
                        name: #name,
                        description: #description,
                        config: <#config as ::spark::__private::Config>::spec,
                        modules: #modules,
                    };
                    &SPEC
                },
                ::core::file!(),
                ::core::line!(),
            )
        }
    }
}
