//! `#[spark::payload]`: a struct of array handles becomes a payload that ports carry.
//!
//! In: a struct with named fields, or of one field without a name (its part is called `value`). Each field is a part; a
//! `bool` with `#[async_spikes]` is no part but says whether the payload travels over synapses. Out: `impl PayloadType` and
//! the registry entry; for a payload of one part also `ValuePayload`, and if its field has no name `new`, `value`, `shape`
//! and `From`.
//! The *type* of a field decides what its part is (`PayloadPart`), never the macro.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Field, Fields, ItemStruct, Member, Type};

use crate::ctxt::Ctxt;
use crate::{attrs, items};

/// A payload struct as written.
struct PayloadStruct {
    name: String,
    description: String,
    parts: Vec<Part>,
    /// The fields that say whether the payload travels over synapses, and whether they can; one at most, without mistakes.
    flags: Vec<(Member, bool)>,
}

/// One field that holds a handle.
struct Part {
    member: Member,
    name: String,
    ty: Type,
}

/// Expands the attribute `#[spark::payload(attributes)]` on `item`.
pub(crate) fn expand(attributes: TokenStream, item: TokenStream) -> TokenStream {
    items::expand_struct(item, "#[spark::payload]", |mut item, ctxt| {
        let name = items::name_key(attributes, "#[spark::payload]", ctxt);
        let payload = parse(&mut item, ctxt).map(|mut payload| {
            payload.name = name.map_or(payload.name, |name| name.value());
            emit(&payload, &item)
        });
        items::add_derives(
            &mut item,
            &[
                ("Clone", quote!(::core::clone::Clone)),
                ("Copy", quote!(::core::marker::Copy)),
                ("Debug", quote!(::core::fmt::Debug)),
            ],
        );
        quote!(#item #payload)
    })
}

/// Reads `item` and takes the helper attributes off; `None` if no payload can be made of it.
fn parse(item: &mut ItemStruct, ctxt: &mut Ctxt) -> Option<PayloadStruct> {
    let mut payload = PayloadStruct {
        name: item.ident.unraw().to_string(),
        description: attrs::doc_text(&item.attrs),
        parts: Vec::new(),
        flags: Vec::new(),
    };
    let members: Vec<Member> = item.fields.members().collect();
    for (field, member) in item.fields.iter_mut().zip(members) {
        parse_field(field, member, &mut payload, ctxt);
    }
    if !item.generics.params.is_empty() {
        ctxt.error_at(&item.generics, "a payload cannot be generic: the registry needs one concrete type");
        return None;
    }
    let named = matches!(item.fields, Fields::Named(_));
    if payload.parts.is_empty() || (!named && item.fields.len() > 1) {
        let message = "a payload has named fields, or one field without a name: \
                       `struct Name { value: Real, .. }` or `struct Name(Real);`";
        ctxt.error_at(&item.ident, message);
        return None;
    }
    Some(payload)
}

fn parse_field(field: &mut Field, member: Member, payload: &mut PayloadStruct, ctxt: &mut Ctxt) {
    let Some(flag) = attrs::take_one(&mut field.attrs, "async_spikes", ctxt) else {
        let name = field.ident.as_ref().map_or_else(|| "value".to_owned(), |ident| ident.unraw().to_string());
        payload.parts.push(Part { member, name, ty: field.ty.clone() });
        return;
    };
    attrs::no_arguments(&flag, ctxt);
    let is_bool = matches!(&field.ty, Type::Path(path) if path.path.is_ident("bool"));
    if !is_bool {
        ctxt.error_at(&field.ty, "an `#[async_spikes]` field is a `bool`");
    }
    payload.flags.push((member, is_bool));
    if payload.flags.len() > 1 {
        ctxt.error_at(&flag, "a second `#[async_spikes]` field; keep one");
    }
}

fn emit(payload: &PayloadStruct, item: &ItemStruct) -> TokenStream {
    let (ident, name, description) = (&item.ident, &payload.name, &payload.description);
    let members: Vec<&Member> = payload.parts.iter().map(|part| &part.member).collect();
    let kinds = payload.parts.iter().map(|part| {
        let (name, ty) = (&part.name, &part.ty);
        quote_spanned!(ty.span()=> (#name, <#ty as ::spark::__private::PayloadPart>::TYPE))
    });
    let packed = payload.parts.iter().map(|part| {
        let (member, ty) = (&part.member, &part.ty);
        quote_spanned!(ty.span()=> <#ty as ::spark::__private::PayloadPart>::into_value(self.#member))
    });
    let unpacked = payload.parts.iter().enumerate().map(|(at, part)| {
        let ty = &part.ty;
        quote_spanned!(ty.span()=> <#ty as ::spark::__private::PayloadPart>::from_value(payload.parts[#at]))
    });
    let flag = payload.flags.iter().find(|(_, is_bool)| *is_bool);
    let packed_flag = flag.map_or_else(|| quote!(false), |(member, _)| quote!(self.#member));
    let unpacked_flags = payload.flags.iter().map(|(member, is_bool)| match is_bool {
        true => quote!(#member: payload.async_spikes),
        // Reported already.
        false => quote!(#member: ::core::unreachable!()),
    });
    let allow = payload.flags.iter().any(|(_, is_bool)| !is_bool).then(|| quote!(#[allow(unreachable_code)]));
    let value = match payload.parts.as_slice() {
        [part] if payload.flags.is_empty() => Some(value(item, part)),
        _ => None,
    };
    let wrapper = matches!(item.fields, Fields::Unnamed(_)).then(|| wrapper(item, &payload.parts[0].ty));
    quote! {
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl ::spark::__private::PayloadType for #ident {
            const KIND: &'static ::spark::__private::PayloadKind = &::spark::__private::PayloadKind {
                name: #name,
                description: #description,
                parts: &[#(#kinds),*],
            };

            fn pack(self) -> ::spark::__private::Payload {
                ::spark::__private::Payload {
                    kind: <Self as ::spark::__private::PayloadType>::KIND,
                    parts: ::std::vec![#(#packed),*],
                    async_spikes: #packed_flag,
                }
            }

            #allow
            fn unpack(payload: ::spark::__private::Payload) -> ::spark::__private::Result<Self> {
                ::spark::__private::check_payload(&payload, <Self as ::spark::__private::PayloadType>::KIND)?;
                ::core::result::Result::Ok(Self { #(#members: #unpacked,)* #(#unpacked_flags,)* })
            }
        }

        #value
        #wrapper

        ::spark::__private::submit! {
            ::spark::__private::Registered::Payload(
                || <#ident as ::spark::__private::PayloadType>::KIND,
                ::core::file!(),
                ::core::line!(),
            )
        }
    }
}

/// What lets fields be properties of this type, and properties be read as it.
fn value(item: &ItemStruct, Part { member, ty, .. }: &Part) -> TokenStream {
    let ident = &item.ident;
    quote! {
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl ::spark::__private::ValuePayload<#ty> for #ident {
            fn from_handle(handle: #ty) -> Self {
                Self { #member: handle }
            }

            fn into_handle(self) -> #ty {
                self.#member
            }
        }
    }
}

/// Going in and out of a payload that is one handle without a name.
fn wrapper(item: &ItemStruct, ty: &Type) -> TokenStream {
    let ident = &item.ident;
    quote! {
        #[automatically_derived]
        #[allow(dead_code, unreachable_pub)]
        impl #ident {
            /// Wraps a value.
            pub fn new(value: #ty) -> Self {
                Self(value)
            }

            /// The value.
            pub fn value(self) -> #ty {
                self.0
            }

            /// Its shape.
            pub fn shape(self) -> ::spark::__private::Shape {
                <#ty as ::spark::__private::PayloadPart>::shape_of(self.0)
            }
        }

        #[automatically_derived]
        impl ::core::convert::From<#ty> for #ident {
            fn from(value: #ty) -> Self {
                Self(value)
            }
        }
    }
}
