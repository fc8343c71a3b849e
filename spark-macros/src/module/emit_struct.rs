//! Writes `impl ModuleFields`: the config's type, the names, one visitor call per field, and the properties that fields are.
//!
//! A field's property gets a getter, and a setter, like those a user would write: a method of the same name is a duplicate.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::parse_struct::{FieldProperty, ModuleField, ModuleStruct, Role};

/// `impl ModuleFields` for `model`; nothing without a config, whose absence is reported.
pub(crate) fn emit(model: &ModuleStruct) -> TokenStream {
    let Some(config) = model.fields.iter().find(|field| field.role == Some(Role::Config)) else {
        return TokenStream::new();
    };
    let (config_field, config_type) = (&config.ident, &config.ty);
    let ident = &model.ident;
    let name = match &model.name {
        Some(name) => name.value(),
        None => ident.unraw().to_string(),
    };
    let category = model.category.as_ref().map(|text| text.value());
    let category = category.unwrap_or_default();
    let description = &model.description;
    let visits: Vec<TokenStream> = model.fields.iter().filter_map(visit).collect();
    let properties: Vec<(&ModuleField, &FieldProperty)> =
        model.fields.iter().filter_map(|field| Some((field, field.property.as_ref()?))).collect();
    let ports = properties.iter().map(|(field, property)| port_spec(field, property));
    let gets = properties.iter().map(|(field, property)| {
        let (name, ident, of) = (field.name(), &field.ident, conversion(field, property));
        quote! {
            #name => ::core::option::Option::Some(
                ::spark::__private::PayloadType::pack(#of::from_handle(self.#ident)),
            ),
        }
    });
    let sets = properties.iter().filter(|(_, property)| property.settable).map(|(field, property)| {
        let (name, ident, of) = (field.name(), &field.ident, conversion(field, property));
        quote! {
            #name => ::core::option::Option::Some(
                ::spark::__private::PayloadType::unpack(value).map(|value| self.#ident = #of::into_handle(value)),
            ),
        }
    });
    let methods = properties.iter().map(|(field, property)| accessors(field, property));
    let ignored = visits.is_empty().then(|| quote!(let _ = visitor;));
    quote! {
        // Messages about missing impls need not list every module there is.
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl ::spark::__private::ModuleFields for #ident {
            type Config = #config_type;
            const NAME: &'static str = #name;
            const CATEGORY: &'static str = #category;
            const DESCRIPTION: &'static str = #description;
            const PROPERTIES: &'static [::spark::__private::PortSpecs] = &[#(#ports),*];

            fn config(&self) -> &Self::Config {
                &self.#config_field
            }

            fn visit_fields(&mut self, visitor: &mut dyn ::spark::__private::FieldVisitor) {
                #ignored
                #(#visits)*
            }

            #[allow(unused_variables)]
            fn field_property(
                &self,
                property: &str,
            ) -> ::core::option::Option<::spark::__private::Payload> {
                match property {
                    #(#gets)*
                    _ => ::core::option::Option::None,
                }
            }

            #[allow(unused_variables)]
            fn set_field_property(
                &mut self,
                property: &str,
                value: ::spark::__private::Payload,
            ) -> ::core::option::Option<::spark::__private::Result<()>> {
                match property {
                    #(#sets)*
                    _ => ::core::option::Option::None,
                }
            }
        }

        #[automatically_derived]
        impl #ident {
            #(#methods)*
        }
    }
}

/// The trait that turns the field into the payload and back; a field that does not fit is reported at the payload.
fn conversion(field: &ModuleField, property: &FieldProperty) -> TokenStream {
    let (ty, payload) = (&field.ty, &property.payload);
    quote_spanned!(payload.span()=> <#payload as ::spark::__private::ValuePayload<#ty>>)
}

/// The getter of a field's property, and its setter if it has one.
fn accessors(field: &ModuleField, property: &FieldProperty) -> TokenStream {
    let (ident, payload, of) = (&field.ident, &property.payload, conversion(field, property));
    let doc = &field.description;
    let setter = property.settable.then(|| {
        let setter = format_ident!("set_{}", ident.unraw(), span = ident.span());
        quote! {
            #[allow(dead_code)]
            fn #setter(&mut self, value: #payload) {
                self.#ident = #of::into_handle(value);
            }
        }
    });
    quote! {
        #[doc = #doc]
        #[allow(dead_code)]
        fn #ident(&self) -> #payload {
            #of::from_handle(self.#ident)
        }
        #setter
    }
}

fn port_spec(field: &ModuleField, property: &FieldProperty) -> TokenStream {
    let (name, description) = (field.name(), &field.description);
    let FieldProperty { payload, axes, settable } = property;
    let kind = quote_spanned!(payload.span()=> <#payload as ::spark::__private::PayloadType>::KIND);
    quote! {
        ::spark::__private::PortSpecs {
            name: #name,
            payload: #kind,
            axes: &[#(#axes),*],
            optional: false,
            variadic: false,
            settable: #settable,
            description: #description,
        }
    }
}

/// The call for one field. The reference carries the type's span: a field that is no handle is reported there.
pub(crate) fn visit(field: &ModuleField) -> Option<TokenStream> {
    let ident = &field.ident;
    let name = field.name();
    let description = &field.description;
    let reference = quote_spanned!(field.ty.span()=> &mut self.#ident);
    Some(match field.role? {
        Role::Variable => quote!(visitor.variable(#name, #description, #reference);),
        Role::Constant => quote!(visitor.constant(#name, #description, #reference);),
        Role::Module if field.flatten => {
            quote!(::spark::__private::visit_flattened(visitor, #reference);)
        }
        Role::Module => {
            quote!(::spark::__private::visit_nested(visitor, #name, #reference);)
        }
        Role::Config | Role::Host => return None,
    })
}
