//! The axes of ports: names in attributes, and what is emitted for them.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Ident;

use crate::attrs;
use crate::ctxt::Ctxt;

/// The names of axes.
pub(crate) const AXES: &[&str] = &["units", "post", "pre"];

/// A named axis of a port. `units` and `post` are the same axis.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Axis {
    Units,
    Pre,
}

impl ToTokens for Axis {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Axis::Units => quote!(::spark::__private::Axis::UNITS),
            Axis::Pre => quote!(::spark::__private::Axis::PRE),
        });
    }
}

/// The axes of these names; wrong ones are reported.
pub(crate) fn parse_axes(names: &[Ident], ctxt: &mut Ctxt) -> Vec<Axis> {
    let mut axes = Vec::with_capacity(names.len());
    for ident in names {
        let name = ident.to_string();
        let axis = match name.as_str() {
            "units" | "post" => Axis::Units,
            "pre" => Axis::Pre,
            _ => {
                ctxt.error(ident.span(), attrs::unknown("axis", &name, AXES));
                continue;
            }
        };
        if axes.contains(&axis) {
            ctxt.error(ident.span(), format!("the axis `{name}` is given twice"));
        } else {
            axes.push(axis);
        }
    }
    axes
}
