//! Reads the `impl` block of a module into [`ModuleImpl`] and takes our attributes off its functions.
//!
//! Functions are sorted by their attributes; whether there is one step, whether setters have getters and whether types can be
//! port types is for [`super::check`].

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, Pat, PatType, ReturnType};
use syn::{PatWild, Signature, Token, Type};

use super::axes::{AXES, Axis, parse_axes};
use crate::attrs;
use crate::ctxt::Ctxt;

const STEP_KEYS: &[&str] = &["out", "axis"];
const PROPERTY_KEYS: &[&str] = &["axis"];

/// The `impl` block of a module as written.
pub(crate) struct ModuleImpl {
    pub(crate) self_ty: Type,
    /// Whether a trait can be implemented for `self_ty`: no generics, no trait impl.
    pub(crate) concrete: bool,
    pub(crate) build: Option<Signature>,
    /// The function that tells the outputs' shape from the configuration.
    pub(crate) output_shape: Option<Ident>,
    /// Every method with `#[step]`; one is right.
    pub(crate) steps: Vec<Step>,
    pub(crate) properties: Vec<Property>,
    /// Functions whose bodies stay as written.
    pub(crate) host_functions: Vec<Ident>,
}

/// A method with `#[step(..)]`.
pub(crate) struct Step {
    pub(crate) attribute: Attribute,
    pub(crate) signature: Signature,
    pub(crate) outputs: Vec<Ident>,
    pub(crate) axes: Vec<Axis>,
    pub(crate) arguments: Vec<Argument>,
    /// The method's documentation, which is that of the outputs.
    pub(crate) description: String,
}

/// An argument of the step: an input port.
pub(crate) struct Argument {
    pub(crate) pattern: Pat,
    pub(crate) ty: Type,
    pub(crate) axes: Vec<Axis>,
    pub(crate) description: String,
    /// Written `#[ports]`: not a port, but a struct of them.
    pub(crate) is_group: bool,
}

/// A method with `#[property]`: getter or setter, by its receiver and arguments.
pub(crate) struct Property {
    pub(crate) attribute: Attribute,
    pub(crate) signature: Signature,
    pub(crate) axes: Vec<Axis>,
    pub(crate) description: String,
}

/// Reads `item`.
pub(crate) fn parse(attributes: TokenStream, item: &mut ItemImpl, ctxt: &mut Ctxt) -> ModuleImpl {
    if !attributes.is_empty() {
        let message = "the keys of `#[spark::module]` go on the struct; on the `impl` block it takes none";
        ctxt.error_at(&attributes, message);
    }
    if !item.generics.params.is_empty() {
        let message = "a module cannot be generic: the registry builds it by name (helper functions may be generic)";
        ctxt.error_at(&item.generics, message);
    }
    if let Some((path, _)) = &item.trait_ {
        let message = "`#[spark::module]` goes on the module's own `impl` block; use `#[spark::traced]` here";
        ctxt.error_at(path, message);
    }
    let mut model = ModuleImpl {
        self_ty: (*item.self_ty).clone(),
        concrete: item.generics.params.is_empty() && item.trait_.is_none(),
        build: None,
        output_shape: None,
        steps: Vec::new(),
        properties: Vec::new(),
        host_functions: Vec::new(),
    };
    for item in &mut item.items {
        if let ImplItem::Fn(function) = item {
            parse_function(function, &mut model, ctxt);
        }
    }
    model
}

fn parse_function(function: &mut ImplItemFn, model: &mut ModuleImpl, ctxt: &mut Ctxt) {
    let description = attrs::doc_text(&function.attrs);
    let step = attrs::take_one(&mut function.attrs, "step", ctxt);
    let property = attrs::take_one(&mut function.attrs, "property", ctxt);
    let host = attrs::take_one(&mut function.attrs, "host", ctxt);
    let name = &function.sig.ident;
    if let (Some(_), Some(property)) = (&step, &property) {
        ctxt.error_at(property, "a method is a step or a property, not both");
    }
    if let Some(host) = &host {
        attrs::no_arguments(host, ctxt);
        if step.is_some() {
            ctxt.error_at(host, "a step is traced; `#[host]` cannot be put on it");
        }
    }
    if host.is_some() || name == "build" || name == "output_shape" {
        model.host_functions.push(name.clone());
    }
    if name == "output_shape" {
        model.output_shape = Some(name.clone());
    }
    if name == "build" {
        model.build = Some(function.sig.clone());
    }
    if let Some(attribute) = step {
        let arguments = parse_arguments(&mut function.sig, ctxt);
        let step = parse_step(attribute, function.sig.clone(), arguments, ctxt);
        model.steps.push(Step { description, ..step });
    } else if let Some(attribute) = property {
        let tokens = attrs::list_tokens(&attribute, ctxt);
        let mut axes = vec![Axis::Units];
        for key in attrs::keys(tokens, "#[property]", PROPERTY_KEYS, ctxt) {
            axes = parse_axes(&key.names(ctxt), ctxt);
        }
        model.properties.push(Property { attribute, signature: function.sig.clone(), axes, description });
    }
}

fn parse_step(attribute: Attribute, signature: Signature, arguments: Vec<Argument>, ctxt: &mut Ctxt) -> Step {
    let tokens = attrs::list_tokens(&attribute, ctxt);
    let (mut outputs, mut axes) = (Vec::new(), vec![Axis::Units]);
    for key in attrs::keys(tokens, "#[step]", STEP_KEYS, ctxt) {
        let names = key.names(ctxt);
        if key.name == "out" {
            outputs = names;
        } else {
            axes = parse_axes(&names, ctxt);
        }
    }
    Step { attribute, signature, outputs, axes, arguments, description: String::new() }
}

/// Takes `#[axis(..)]` off an argument or field: the axes it names, `units` without it.
pub(crate) fn take_axes(attributes: &mut Vec<Attribute>, ctxt: &mut Ctxt) -> Vec<Axis> {
    let Some(axis) = attrs::take_one(attributes, "axis", ctxt) else {
        return vec![Axis::Units];
    };
    let keys = attrs::keys(attrs::list_tokens(&axis, ctxt), "#[axis]", AXES, ctxt);
    if let Some(value) = keys.iter().find_map(|key| key.value.as_ref()) {
        ctxt.error_at(value, "`#[axis(..)]` takes names only: `#[axis(post, pre)]`");
    }
    let names: Vec<Ident> = keys.into_iter().map(|key| key.name).collect();
    parse_axes(&names, ctxt)
}

/// Reads the arguments after the receiver and takes doc comments, `#[axis]` and `#[ports]` off them.
fn parse_arguments(signature: &mut Signature, ctxt: &mut Ctxt) -> Vec<Argument> {
    let mut arguments = Vec::new();
    for input in &mut signature.inputs {
        let FnArg::Typed(PatType { attrs, pat, ty, .. }) = input else {
            continue;
        };
        let description = attrs::doc_text(attrs);
        attrs::take(attrs, "doc");
        let group = attrs::take_one(attrs, "ports", ctxt);
        if let Some(group) = &group {
            attrs::no_arguments(group, ctxt);
            if let Some(axis) = attrs.iter().find(|attribute| attribute.path().is_ident("axis")) {
                ctxt.error_at(axis, "the axes of ports that are shared are on the fields of their struct");
            }
        }
        let axes = take_axes(attrs, ctxt);
        let again = arguments.iter().any(|earlier: &Argument| earlier.pattern == **pat);
        let is_group = group.is_some();
        arguments.push(Argument { pattern: (**pat).clone(), ty: (**ty).clone(), axes, description, is_group });
        // Reported as a duplicate port; rustc need not report it as a duplicate argument.
        if again {
            **pat = Pat::Wild(PatWild { attrs: Vec::new(), underscore_token: Token![_](pat.span()) });
        }
    }
    arguments
}

impl Step {
    /// What the documentation says of an output: all of it where there is one output, of several the item that begins with
    /// the output's name, "* `name`: ..".
    pub(crate) fn output_description(&self, output: &Ident) -> String {
        if self.outputs.len() == 1 {
            return self.description.clone();
        }
        let begin = format!("`{}`:", output.unraw());
        let text = self.description.split("* ").find_map(|item| item.strip_prefix(begin.as_str()));
        text.unwrap_or_default().trim().to_owned()
    }

    /// The types of the outputs, and whether they come as a tuple.
    pub(crate) fn output_types(&self) -> (Vec<Type>, bool) {
        match &self.signature.output {
            ReturnType::Default => (Vec::new(), true),
            ReturnType::Type(_, ty) => match &**ty {
                Type::Tuple(tuple) => (tuple.elems.iter().cloned().collect(), true),
                other => (vec![other.clone()], false),
            },
        }
    }

    /// Where a message about the outputs as a whole belongs.
    pub(crate) fn output_span(&self) -> Span {
        match &self.signature.output {
            ReturnType::Default => self.signature.ident.span(),
            ReturnType::Type(_, ty) => ty.span(),
        }
    }
}

impl Property {
    /// Whether this is a setter: a method that takes `&mut self` and a value.
    pub(crate) fn is_setter(&self) -> bool {
        self.signature.inputs.len() > 1 || self.property_of_setter().is_some() && !self.returns()
    }

    /// `kernel` for `set_kernel`.
    pub(crate) fn property_of_setter(&self) -> Option<String> {
        let name = self.signature.ident.unraw().to_string();
        name.strip_prefix("set_").map(str::to_owned)
    }

    /// Whether the method gives a value.
    pub(crate) fn returns(&self) -> bool {
        matches!(self.signature.output, ReturnType::Type(..))
    }
}
