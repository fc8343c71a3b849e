//! `#[spark::validator]`: a function `fn(f64) -> bool` becomes a check that `#[param(check = ..)]` can name.
//!
//! In: the function and the words that say what it allows. Out: the function, a type of the same name that carries the
//! check's description (types and functions do not share names, so one path, and one `use`, means both), and the registry
//! entry.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{FnArg, Item, ItemFn, LitStr, ReturnType, Signature, Type};

use crate::attrs;
use crate::ctxt::Ctxt;

const SHAPE: &str = "a check looks at one number: `fn name(x: f64) -> bool`";

/// Expands the attribute `#[spark::validator(attributes)]` on `item`.
pub(crate) fn expand(attributes: TokenStream, item: TokenStream) -> TokenStream {
    let mut ctxt = Ctxt::default();
    let expansion = match syn::parse2(item.clone()) {
        Ok(Item::Fn(item)) => {
            let keys = attrs::keys(attributes, "#[spark::validator]", &["allowed", "name"], &mut ctxt);
            let (mut allowed, mut name) = (None, None);
            for key in &keys {
                let text = key.string(&mut ctxt).cloned();
                if key.name == "allowed" { allowed = text } else { name = text }
            }
            check(&item.sig, keys.iter().any(|key| key.name == "allowed"), &mut ctxt);
            let validator = emit(&item, allowed, name, ctxt.is_clean());
            quote!(#item #validator)
        }
        Ok(_) => {
            ctxt.error(Span::call_site(), "`#[spark::validator]` goes on a function");
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

fn check(signature: &Signature, allowed: bool, ctxt: &mut Ctxt) {
    if !allowed {
        let message = "say what is allowed, as the continuation of \"must\": `allowed = \"be even\"`";
        ctxt.error(signature.ident.span(), message);
    }
    if !signature.generics.params.is_empty() {
        ctxt.error_at(&signature.generics, "a check cannot be generic");
    }
    if let Some(asynchronous) = &signature.asyncness {
        ctxt.error(asynchronous.span, SHAPE);
    }
    let mut inputs = signature.inputs.iter();
    match inputs.next() {
        Some(FnArg::Typed(argument)) if is(&argument.ty, "f64") => {}
        Some(FnArg::Typed(argument)) => ctxt.error_at(&argument.ty, SHAPE),
        Some(other) => ctxt.error_at(other, SHAPE),
        None => ctxt.error(signature.paren_token.span.span(), SHAPE),
    }
    for extra in inputs {
        ctxt.error_at(extra, SHAPE);
    }
    match &signature.output {
        ReturnType::Type(_, ty) if is(ty, "bool") => {}
        ReturnType::Type(_, ty) => ctxt.error_at(ty, SHAPE),
        ReturnType::Default => ctxt.error(signature.ident.span(), SHAPE),
    }
}

fn is(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.qself.is_none() && path.path.is_ident(name))
}

/// The type that `check = ..` finds and its registry entry; with mistakes the type alone, so that its users are no mistakes.
fn emit(item: &ItemFn, allowed: Option<LitStr>, name: Option<LitStr>, clean: bool) -> TokenStream {
    let (ident, visibility) = (&item.sig.ident, &item.vis);
    let name = name.map_or_else(|| ident.unraw().to_string(), |name| name.value());
    let allowed = allowed.map_or_else(String::new, |allowed| allowed.value());
    let accepts = match clean {
        true => quote_spanned!(ident.span()=> #ident),
        false => quote!(|_| true),
    };
    let registration = clean.then(|| {
        quote! {
            ::spark::__private::submit! {
                ::spark::__private::Registered::Validator(
                    || <#ident as ::spark::__private::Validator>::SPEC,
                    ::core::file!(),
                    ::core::line!(),
                )
            }
        }
    });
    quote! {
        #[doc(hidden)]
        #[allow(non_camel_case_types, unreachable_pub, dead_code)]
        #visibility enum #ident {}

        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl ::spark::__private::Validator for #ident {
            const SPEC: &'static ::spark::__private::ValidatorSpec = &::spark::__private::ValidatorSpec {
                name: #name,
                allowed: #allowed,
                accepts: #accepts,
            };
        }

        #registration
    }
}
