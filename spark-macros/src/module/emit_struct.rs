//! Writes `impl ModuleFields`: the config's type, the names, and one visitor call per field.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::parse_struct::{ModuleField, ModuleStruct, Role};

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

            fn config(&self) -> &Self::Config {
                &self.#config_field
            }

            fn visit_fields(&mut self, visitor: &mut dyn ::spark::__private::FieldVisitor) {
                #ignored
                #(#visits)*
            }
        }
    }
}

/// The call for one field. The reference carries the type's span: a field that is no handle is reported there.
pub(crate) fn visit(field: &ModuleField) -> Option<TokenStream> {
    let ident = &field.ident;
    let name = ident.unraw().to_string();
    let description = &field.description;
    let reference = quote_spanned!(field.ty.span()=> &mut self.#ident);
    Some(match field.role? {
        Role::Variable => quote!(visitor.variable(#name, #description, #reference);),
        Role::Constant => quote!(visitor.constant(#name, #description, #reference);),
        Role::Module => {
            quote!(::spark::__private::visit_nested(visitor, #name, #reference);)
        }
        Role::Config | Role::Host => return None,
    })
}
