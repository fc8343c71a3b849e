//! Judges a module: one config field, one step, names used once, types that can be ports.
//!
//! In: the models of [`super::parse_struct`] and [`super::parse_impl`]. Out: for an `impl` block its [`Ports`], the model
//! emission works on. Types are only told apart by their last path segment; that they are payloads is left to rustc, through
//! an assertion that carries the type's span.

use std::collections::HashMap;

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{FnArg, GenericArgument, Ident, Pat, PathArguments, ReceiverKind, Signature, Type};

use super::axes::Axis;
use super::parse_impl::{Argument, ModuleImpl, Property, Step};
use super::parse_struct::{ModuleStruct, Role};
use crate::ctxt::Ctxt;

/// What goes into and out of a module.
pub(crate) struct Ports {
    /// The method with `#[step]`.
    pub(crate) step: Ident,
    pub(crate) inputs: Vec<Input>,
    pub(crate) outputs: Vec<Port>,
    /// Whether the step returns its outputs as a tuple.
    pub(crate) tuple: bool,
    pub(crate) properties: Vec<PropertyPort>,
}

/// An argument of the step.
pub(crate) enum Input {
    Port(Port),
    /// A struct of ports, of this type.
    Group(Ident, Type),
}

/// One port.
pub(crate) struct Port {
    pub(crate) name: Ident,
    /// The payload type, without `Option` or `Vec`.
    pub(crate) payload: Type,
    pub(crate) arity: Arity,
    pub(crate) axes: Vec<Axis>,
    pub(crate) description: String,
}

/// How many sources an input takes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Arity {
    Required,
    Optional,
    Variadic,
}

/// A property: its port, and its setter if it has one. The getter has the name of the port.
pub(crate) struct PropertyPort {
    pub(crate) port: Port,
    pub(crate) setter: Option<Ident>,
}

/// A module struct is no generic one and needs exactly one config. False if nothing can be made of it.
pub(crate) fn check_struct(model: &ModuleStruct, ctxt: &mut Ctxt) -> bool {
    if !model.generics.params.is_empty() {
        let message =
            "a module cannot be generic: the registry builds it by name (helper functions and parts may be generic)";
        ctxt.error_at(&model.generics, message);
        return false;
    }
    let mut configs = model.fields.iter().filter(|field| field.role == Some(Role::Config));
    if configs.next().is_none() {
        let message = format!("module `{}` has no config: put `#[config]` on the field that holds it", model.ident);
        ctxt.error(model.ident.span(), message);
    }
    for again in configs {
        ctxt.error(again.ident.span(), "a module has one `#[config]` field");
    }
    true
}

/// The ports of `model`; `None` without a step.
pub(crate) fn check_impl(model: &ModuleImpl, ctxt: &mut Ctxt) -> Option<Ports> {
    check_build(model, ctxt);
    let properties = check_properties(&model.properties, ctxt);
    let Some((step, more)) = model.steps.split_first() else {
        let message = "a module needs one method with `#[step(out = ..)]`";
        ctxt.error_at(&model.self_ty, message);
        return None;
    };
    for again in more {
        let message = format!("a module has one step, and `{}` is already it", step.signature.ident);
        ctxt.error_at(&again.attribute, message);
    }
    if !takes(&step.signature, true) {
        let message = "a step takes `&mut self`";
        ctxt.error(receiver_span(&step.signature), message);
    }
    reject_generics(&step.signature, "a step", ctxt);
    let mut inputs = Vec::with_capacity(step.arguments.len());
    for argument in &step.arguments {
        let name = argument_name(argument, ctxt);
        let (axes, description) = (argument.axes.clone(), argument.description.clone());
        inputs.extend(match argument.is_group {
            true => name.map(|name| Input::Group(name, argument.ty.clone())),
            false => input_port(name, &argument.ty, axes, description, ctxt).map(Input::Port),
        });
    }
    let (outputs, tuple) = output_ports(step, ctxt);
    let ports = inputs.iter().filter_map(|input| match input {
        Input::Port(port) => Some(port),
        Input::Group(..) => None,
    });
    check_duplicates(ports, "input", ctxt);
    check_duplicates(&outputs, "output", ctxt);
    Some(Ports { step: step.signature.ident.clone(), inputs, outputs, tuple, properties })
}

fn check_build(model: &ModuleImpl, ctxt: &mut Ctxt) {
    let Some(build) = &model.build else {
        let message = "a module needs `fn build(cx: &mut Build, config: Config) -> Result<Self>`";
        ctxt.error_at(&model.self_ty, message);
        return;
    };
    if build.receiver().is_some() || build.inputs.len() != 2 {
        let message = "`build` takes two arguments: `fn build(cx: &mut Build, config: Config) -> Result<Self>`";
        ctxt.error(build.ident.span(), message);
    }
    reject_generics(build, "`build`", ctxt);
}

fn reject_generics(signature: &Signature, what: &str, ctxt: &mut Ctxt) {
    if !signature.generics.params.is_empty() {
        let message = format!("{what} cannot be generic");
        ctxt.error_at(&signature.generics, message);
    }
    if let Some(asyncness) = &signature.asyncness {
        ctxt.error(asyncness.span, format!("{what} cannot be async"));
    }
}

/// Whether the receiver is `&self`, or `&mut self` if `mutable`.
fn takes(signature: &Signature, mutable: bool) -> bool {
    signature.receiver().is_some_and(|receiver| {
        matches!(&receiver.kind, ReceiverKind::Reference(_, _, mutability) if mutability.is_some() == mutable)
    })
}

fn receiver_span(signature: &Signature) -> Span {
    match signature.inputs.first() {
        Some(FnArg::Receiver(receiver)) => receiver.span(),
        _ => signature.ident.span(),
    }
}

fn argument_name(argument: &Argument, ctxt: &mut Ctxt) -> Option<Ident> {
    match &argument.pattern {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => Some(pattern.ident.clone()),
        other => {
            ctxt.error_at(other, "the name of an input port must be a plain name");
            None
        }
    }
}

/// The port that an argument or field of type `ty` is; `None` without a name, which is reported.
pub(crate) fn input_port(
    name: Option<Ident>,
    ty: &Type,
    axes: Vec<Axis>,
    description: String,
    ctxt: &mut Ctxt,
) -> Option<Port> {
    let (payload, arity) = match generic_argument(ty, "Option") {
        Some(inner) => (inner, Arity::Optional),
        None => match generic_argument(ty, "Vec") {
            Some(inner) => (inner, Arity::Variadic),
            None => (ty, Arity::Required),
        },
    };
    check_payload(payload, ctxt);
    Some(Port { name: name?, payload: payload.clone(), arity, axes, description })
}

/// `T` of `Option<T>`, by the last segment of the path.
fn generic_argument<'ty>(ty: &'ty Type, wrapper: &str) -> Option<&'ty Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(inner) if last.ident == wrapper && arguments.args.len() == 1 => Some(inner),
        _ => None,
    }
}

/// A port type is named by a path; whether it is a payload, rustc finds out.
fn check_payload(ty: &Type, ctxt: &mut Ctxt) {
    let wrapped = ["Option", "Vec"].iter().any(|wrapper| generic_argument(ty, wrapper).is_some());
    if wrapped || !matches!(ty, Type::Path(_) | Type::Paren(_) | Type::Group(_)) {
        let message = "unsupported port type: use a payload such as `CurrentArray`, \
                       `Option` of one (optional input) or `Vec` of one (variadic input)";
        ctxt.error_at(ty, message);
    }
}

fn output_ports(step: &Step, ctxt: &mut Ctxt) -> (Vec<Port>, bool) {
    let (types, tuple) = step.output_types();
    if types.len() != step.outputs.len() {
        let values = match types.len() {
            0 => "no value".to_owned(),
            1 => "one value".to_owned(),
            count => format!("{count} values"),
        };
        let message = format!(
            "the step returns {values} but `out` names {}: write `#[step(out = name)]`, or `#[step(out = (a, b))]` for a tuple",
            step.outputs.len()
        );
        ctxt.error(step.output_span(), message);
    }
    let ports = types.into_iter().zip(&step.outputs);
    let ports = ports.map(|(payload, name)| {
        check_payload(&payload, ctxt);
        Port {
            name: name.clone(),
            payload,
            arity: Arity::Required,
            axes: step.axes.clone(),
            description: step.output_description(name),
        }
    });
    (ports.collect(), tuple)
}

pub(crate) fn check_duplicates<'a>(ports: impl IntoIterator<Item = &'a Port>, what: &str, ctxt: &mut Ctxt) {
    let mut seen: Vec<&Ident> = Vec::new();
    for port in ports {
        if seen.contains(&&port.name) {
            let message = format!("there is already an {what} port `{}`", port.name);
            ctxt.error(port.name.span(), message);
        }
        seen.push(&port.name);
    }
}

/// Getters become properties; each setter joins its getter.
fn check_properties(methods: &[Property], ctxt: &mut Ctxt) -> Vec<PropertyPort> {
    let mut properties: Vec<PropertyPort> = Vec::new();
    for getter in methods.iter().filter(|method| !method.is_setter()) {
        let signature = &getter.signature;
        reject_generics(signature, "a property", ctxt);
        let syn::ReturnType::Type(_, ty) = &signature.output else {
            let message = "the getter of a property returns its value: `fn kernel(&self) -> FloatArray`";
            ctxt.error(signature.ident.span(), message);
            continue;
        };
        if !takes(signature, false) {
            ctxt.error(receiver_span(signature), "the getter of a property takes `&self`");
        }
        check_payload(ty, ctxt);
        properties.push(PropertyPort {
            port: Port {
                name: signature.ident.clone(),
                payload: (**ty).clone(),
                arity: Arity::Required,
                axes: getter.axes.clone(),
                description: getter.description.clone(),
            },
            setter: None,
        });
    }
    let names: HashMap<String, usize> = properties
        .iter()
        .enumerate()
        .map(|(index, property)| (property.port.name.unraw().to_string(), index))
        .collect();
    for setter in methods.iter().filter(|method| method.is_setter()) {
        check_setter(setter, &names, &mut properties, ctxt);
    }
    properties
}

fn check_setter(setter: &Property, names: &HashMap<String, usize>, properties: &mut [PropertyPort], ctxt: &mut Ctxt) {
    let signature = &setter.signature;
    let Some(name) = setter.property_of_setter() else {
        let message = format!(
            "the setter of a property is called `set_` and the property's name, such as `set_{}`",
            signature.ident
        );
        ctxt.error(signature.ident.span(), message);
        return;
    };
    reject_generics(signature, "a property", ctxt);
    if !takes(signature, true) || signature.inputs.len() != 2 || setter.returns() {
        let message = format!(
            "a setter takes `&mut self` and one value and returns nothing: `fn {}(&mut self, {name}: T)`",
            signature.ident
        );
        ctxt.error(signature.ident.span(), message);
    }
    if let syn::Meta::List(list) = &setter.attribute.meta {
        ctxt.error_at(&list.tokens, "the keys of a property go on its getter");
    }
    match names.get(&name) {
        Some(index) => properties[*index].setter = Some(signature.ident.clone()),
        None => {
            let message =
                format!("the setter `{}` has no getter: add `#[property] fn {name}(&self) -> T`", signature.ident);
            ctxt.error(signature.ident.span(), message);
        }
    }
}
