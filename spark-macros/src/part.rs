//! `#[spark::part]`: a struct becomes a stateful part that modules hold in a `#[module]` field.
//!
//! In: a struct whose fields have the roles of a module's, without a config. Out: `impl Nested` (its fields are shown to
//! visitors under the part's name) and `impl Place` (a traced `if` may change the part: its variables are selected).

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Index, Item, Type};

use crate::ctxt::Ctxt;
use crate::module::emit_struct::visit;
use crate::module::parse_struct::{self, ModuleStruct, Role};

/// Expands the attribute `#[spark::part]` on `item`.
pub(crate) fn expand(attributes: TokenStream, item: TokenStream) -> TokenStream {
    let mut ctxt = Ctxt::default();
    let expansion = match syn::parse2(item.clone()) {
        Ok(Item::Struct(mut item)) => {
            if !attributes.is_empty() {
                ctxt.error_at(&attributes, "`#[spark::part]` takes no keys");
            }
            let part = parse_struct::parse(TokenStream::new(), &mut item, &mut ctxt).map(|part| {
                check(&part, &mut ctxt);
                emit(&part)
            });
            quote!(#item #part)
        }
        Ok(_) => {
            ctxt.error(proc_macro2::Span::call_site(), "`#[spark::part]` goes on a struct");
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

fn check(part: &ModuleStruct, ctxt: &mut Ctxt) {
    for field in part.fields.iter().filter(|field| field.role == Some(Role::Config)) {
        let message = "a part has no config: the module that holds it passes what it needs";
        ctxt.error(field.ident.span(), message);
    }
    for property in part.fields.iter().filter_map(|field| field.property.as_ref()) {
        let message = "a part has no properties: give the module that holds it a `#[property]` method";
        ctxt.error_at(&property.payload, message);
    }
}

fn emit(part: &ModuleStruct) -> TokenStream {
    let ident = &part.ident;
    let visits = part.fields.iter().filter_map(visit);
    // Constants and host data do not change in a step.
    let changing = part.fields.iter().filter(|field| matches!(field.role, Some(Role::Variable | Role::Module)));
    let (names, types): (Vec<_>, Vec<&Type>) = changing.map(|field| (&field.ident, &field.ty)).unzip();
    let at: Vec<Index> = (0..names.len()).map(Index::from).collect();
    quote! {
        // Messages about missing impls need not list every part there is.
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl ::spark::__private::Nested for #ident {
            fn visit_nested(&mut self, visitor: &mut dyn ::spark::__private::FieldVisitor, name: &'static str) {
                visitor.enter(name);
                #(#visits)*
                visitor.leave();
            }
        }

        // A part of constants saves nothing: `()`.
        #[automatically_derived]
        #[allow(clippy::unused_unit)]
        #[diagnostic::do_not_recommend]
        impl ::spark::__private::Place for #ident {
            type Saved = (#(<#types as ::spark::__private::Place>::Saved,)*);
            type Kept = ::spark::__private::Kept<Self>;

            fn saved(&self) -> Self::Saved {
                (#(::spark::__private::Place::saved(&self.#names),)*)
            }

            fn exchange(&mut self, copy: &mut Self::Saved) {
                let _ = &copy;
                #(::spark::__private::Place::exchange(&mut self.#names, &mut copy.#at);)*
            }

            fn select(&mut self, condition: ::spark::__private::Bool, then: Self::Saved) {
                let _ = (&condition, &then);
                #(::spark::__private::Place::select(&mut self.#names, condition, then.#at);)*
            }
        }
    }
}
