//! `#[spark::part]`: a struct becomes a stateful part that modules hold in a `#[module]` field.
//!
//! In: a struct, generic or not, whose fields have the roles of a module's, without a config. Out: `impl Nested` (its fields are shown to
//! visitors under the part's name) and `impl Place` (a traced `if` may change the part: its variables are selected).

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Generics, Index, Item, Type, parse_quote};

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
    let nested = bounded(part, &parse_quote!(::spark::__private::Nested));
    let (nested_generics, arguments, nested_where) = nested.split_for_impl();
    let place = bounded(part, &parse_quote!(::spark::__private::Place));
    let (place_generics, _, place_where) = place.split_for_impl();
    let visits = part.fields.iter().filter_map(visit);
    // Constants and host data do not change in a step.
    let changing = part.fields.iter().filter(|field| matches!(field.role, Some(Role::Variable | Role::Module)));
    let (names, types): (Vec<_>, Vec<&Type>) = changing.map(|field| (&field.ident, &field.ty)).unzip();
    let at: Vec<Index> = (0..names.len()).map(Index::from).collect();
    quote! {
        // Messages about missing impls need not list every part there is.
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl #nested_generics ::spark::__private::Nested for #ident #arguments #nested_where {
            #[allow(unused_variables)]
            fn visit_parts(&mut self, visitor: &mut dyn ::spark::__private::FieldVisitor) {
                #(#visits)*
            }
        }

        // A part of constants saves nothing: `()`.
        #[automatically_derived]
        #[allow(clippy::unused_unit)]
        #[diagnostic::do_not_recommend]
        impl #place_generics ::spark::__private::Place for #ident #arguments #place_where {
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

/// The part's generics, with the bound that every nested part whose type depends on them has `bound`.
fn bounded(part: &ModuleStruct, bound: &syn::TypeParamBound) -> Generics {
    let mut generics = part.generics.clone();
    let names: Vec<String> = generics.type_params().map(|parameter| parameter.ident.to_string()).collect();
    let nested = part.fields.iter().filter(|field| field.role == Some(Role::Module));
    for ty in nested.map(|field| &field.ty).filter(|ty| mentions(ty.to_token_stream(), &names)) {
        generics.make_where_clause().predicates.push(parse_quote!(#ty: #bound));
    }
    generics
}

/// Whether one of `names` is among the tokens.
fn mentions(tokens: TokenStream, names: &[String]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => names.iter().any(|name| ident == name),
        TokenTree::Group(group) => mentions(group.stream(), names),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
