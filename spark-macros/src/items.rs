//! What the macros that register an item share: finding the item, its registered name, and the derives it lacks.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Item, ItemStruct, LitStr, Path, Token, parse_quote};

use crate::attrs;
use crate::ctxt::Ctxt;

/// Hands the struct that `item` is to `expand`, and emits the mistakes after what that gives. Anything else is emitted
/// again, with the message that `attribute` goes on a struct.
pub(crate) fn expand_struct(
    item: TokenStream,
    attribute: &str,
    expand: impl FnOnce(ItemStruct, &mut Ctxt) -> TokenStream,
) -> TokenStream {
    let mut ctxt = Ctxt::default();
    let expansion = match syn::parse2(item.clone()) {
        Ok(Item::Struct(item)) => expand(item, &mut ctxt),
        Ok(_) => {
            // Where a struct was expected.
            let span = syn::parse2::<ItemStruct>(item.clone()).map_or_else(|error| error.span(), |_| Span::call_site());
            ctxt.error(span, format!("`{attribute}` goes on a struct"));
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

/// The registered name that `attributes` give: the only key of `attribute`.
pub(crate) fn name_key(attributes: TokenStream, attribute: &str, ctxt: &mut Ctxt) -> Option<LitStr> {
    let keys = attrs::keys(attributes, attribute, &["name"], ctxt);
    keys.first().and_then(|key| key.string(ctxt).cloned())
}

/// Derives those of `traits` that the user has not derived.
pub(crate) fn add_derives(item: &mut ItemStruct, traits: &[(&str, TokenStream)]) {
    let mut derived = Vec::new();
    for attribute in &item.attrs {
        if attribute.path().is_ident("derive")
            && let Ok(paths) = attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)
        {
            let names = paths.iter().filter_map(|path| path.segments.last());
            derived.extend(names.map(|segment| segment.ident.to_string()));
        }
    }
    let missing = traits.iter().filter(|(name, _)| !derived.iter().any(|other| other == name)).map(|(_, path)| path);
    item.attrs.push(parse_quote!(#[derive(#(#missing),*)]));
}
