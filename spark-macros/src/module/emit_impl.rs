//! Writes `impl Module` and the registry entry.
//!
//! The spec is a `static`; `call`, `get` and `set` convert between payloads and the user's types and call the user's methods.
//! Each payload type is named with its own span, so that rustc reports a type that is no payload at the user's token.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, Index, Type};

use super::check::{Arity, Input, Port, Ports, PropertyPort};
use super::parse_impl::ModuleImpl;

/// `impl Module` for `model`, with bodies that are never run if it is not `clean`.
pub(crate) fn emit(model: &ModuleImpl, ports: Option<&Ports>, clean: bool) -> TokenStream {
    if !model.concrete {
        return TokenStream::new();
    }
    let self_ty = &model.self_ty;
    let (bodies, registration) = match ports {
        Some(ports) if clean => (Bodies::of(model, ports), registration(model)),
        _ => (Bodies::unreachable(), TokenStream::new()),
    };
    let Bodies { spec, build, call, get, set } = bodies;
    // The user's function has the span of its name: rustc reports another signature there.
    let output_shape = model.output_shape.as_ref().filter(|_| clean).map(|name| {
        quote_spanned! {name.span()=>
            fn output_shape(
                config: &<Self as ::spark::__private::ModuleFields>::Config,
            ) -> ::core::option::Option<::spark::__private::Units> {
                <#self_ty>::#name(config)
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl ::spark::__private::Module for #self_ty {
            fn spec() -> &'static ::spark::__private::ModuleType {
                #spec
            }

            #[allow(unused_variables)]
            fn build(
                cx: &mut ::spark::__private::Build,
                config: <Self as ::spark::__private::ModuleFields>::Config,
            ) -> ::spark::__private::Result<Self> {
                #build
            }

            #output_shape

            #[allow(unused_variables)]
            fn call(
                &mut self,
                args: &mut ::spark::__private::Args,
            ) -> ::spark::__private::Result<::std::vec::Vec<::spark::__private::Payload>> {
                #call
            }

            #[allow(unused_variables)]
            fn get(
                &self,
                property: &str,
            ) -> ::core::option::Option<::spark::__private::Payload> {
                #get
            }

            #[allow(unused_variables)]
            fn set(
                &mut self,
                property: &str,
                value: ::spark::__private::Payload,
            ) -> ::spark::__private::Result<()> {
                #set
            }
        }
        #registration
    }
}

/// The bodies of the trait's functions.
struct Bodies {
    spec: TokenStream,
    build: TokenStream,
    call: TokenStream,
    get: TokenStream,
    set: TokenStream,
}

impl Bodies {
    fn of(model: &ModuleImpl, ports: &Ports) -> Bodies {
        let self_ty = &model.self_ty;
        Bodies {
            spec: spec(model, ports),
            build: quote!(<#self_ty>::build(cx, config)),
            call: call(ports),
            get: get(&ports.properties),
            set: set(&ports.properties),
        }
    }

    fn unreachable() -> Bodies {
        let body = quote!(::core::unreachable!());
        Bodies { spec: body.clone(), build: body.clone(), call: body.clone(), get: body.clone(), set: body }
    }
}

fn registration(model: &ModuleImpl) -> TokenStream {
    let self_ty = &model.self_ty;
    quote! {
        ::spark::__private::submit! {
            ::spark::__private::Registered::Module(
                <#self_ty as ::spark::__private::Module>::spec,
                ::core::file!(),
                ::core::line!(),
            )
        }
    }
}

fn spec(model: &ModuleImpl, ports: &Ports) -> TokenStream {
    let self_ty = &model.self_ty;
    let fields = quote!(<#self_ty as ::spark::__private::ModuleFields>);
    let inputs = ports.inputs.iter().map(|input| match input {
        Input::Port(port) => {
            let port = port_spec(port, false);
            quote!(&[#port])
        }
        Input::Group(_, ty) => ports_of(ty),
    });
    let outputs = ports.outputs.iter().map(|port| port_spec(port, false));
    let properties = ports.properties.iter().map(|property| port_spec(&property.port, property.setter.is_some()));
    quote! {
        const METHODS: &[::spark::__private::PortSpecs] = &[#(#properties),*];
        static PROPERTIES: [::spark::__private::PortSpecs; #fields::PROPERTIES.len() + METHODS.len()] =
            ::spark::__private::join_ports(&[#fields::PROPERTIES, METHODS]);
        const GROUPS: &[&[::spark::__private::PortSpecs]] = &[#(#inputs),*];
        static INPUTS: [::spark::__private::PortSpecs; ::spark::__private::count_ports(GROUPS)] =
            ::spark::__private::join_inputs(GROUPS);
        static SPEC: ::spark::__private::ModuleType = ::spark::__private::ModuleType {
            name: #fields::NAME,
            category: #fields::CATEGORY,
            description: #fields::DESCRIPTION,
            config: <#fields::Config as ::spark::__private::Config>::spec,
            inputs: &INPUTS,
            outputs: &[#(#outputs),*],
            properties: &PROPERTIES,
            validate: ::spark::__private::validate::<#self_ty>,
            attempt: ::spark::__private::attempt::<#self_ty>,
            output_shape: ::spark::__private::output_shape::<#self_ty>,
        };
        &SPEC
    }
}

/// The ports of a struct of them.
fn ports_of(ty: &Type) -> TokenStream {
    quote_spanned!(ty.span()=> <#ty as ::spark::__private::InputPorts>::PORTS)
}

pub(crate) fn port_spec(port: &Port, settable: bool) -> TokenStream {
    let name = port.name.unraw().to_string();
    let payload = &port.payload;
    let kind = quote_spanned! {payload.span()=>
        <#payload as ::spark::__private::PayloadType>::KIND
    };
    let axes = &port.axes;
    let optional = port.arity == Arity::Optional;
    let variadic = port.arity == Arity::Variadic;
    let description = &port.description;
    quote! {
        ::spark::__private::PortSpecs {
            name: #name,
            payload: #kind,
            axes: &[#(#axes),*],
            optional: #optional,
            variadic: #variadic,
            settable: #settable,
            description: #description,
        }
    }
}

/// Takes the inputs in order, calls the step and packs what it returns.
fn call(ports: &Ports) -> TokenStream {
    let mut locals = Vec::with_capacity(ports.inputs.len());
    // Where the next argument begins among all ports: structs of ports have as many as they have.
    let mut at = quote!(0);
    let takes = ports.inputs.iter().map(|input| {
        let (Input::Port(Port { name, .. }) | Input::Group(name, _)) = input;
        // The local carries its own hygiene: a port may be called `args`.
        let local = format_ident!("input_{}", name.unraw(), span = Span::mixed_site());
        let (value, count) = match input {
            Input::Port(port) => (taken(port, &at), quote!(1)),
            Input::Group(_, ty) => {
                let ports = ports_of(ty);
                let of = quote_spanned!(ty.span()=> <#ty as ::spark::__private::InputPorts>);
                (quote!(#of::take(args, #at)?), quote!(#ports.len()))
            }
        };
        let take = quote!(let #local = #value;);
        at = quote!(#at + #count);
        locals.push(local);
        take
    });
    let takes: Vec<TokenStream> = takes.collect();
    let step = &ports.step;
    let outputs = ports.outputs.iter().enumerate().map(|(index, port)| {
        let payload = &port.payload;
        let value = match ports.tuple {
            true => {
                let index = Index::from(index);
                quote!(outputs.#index)
            }
            false => quote!(outputs),
        };
        quote_spanned! {payload.span()=>
            <#payload as ::spark::__private::PayloadType>::pack(#value)
        }
    });
    let binding = match ports.outputs.is_empty() {
        true => quote!(self.#step(#(#locals),*);),
        false => quote!(let outputs = self.#step(#(#locals),*);),
    };
    quote! {
        #(#takes)*
        #binding
        ::core::result::Result::Ok(::std::vec![#(#outputs),*])
    }
}

/// What is connected to the port that is number `at` of all.
pub(crate) fn taken(port: &Port, at: &TokenStream) -> TokenStream {
    let payload = &port.payload;
    let method = match port.arity {
        Arity::Required => "required",
        Arity::Optional => "optional",
        Arity::Variadic => "variadic",
    };
    let method = Ident::new(method, payload.span());
    quote_spanned!(payload.span()=> args.#method::<#payload>(#at)?)
}

fn get(properties: &[PropertyPort]) -> TokenStream {
    let arms = properties.iter().map(|property| {
        let name = property.port.name.unraw().to_string();
        let getter = &property.port.name;
        quote! {
            #name => ::core::option::Option::Some(
                ::spark::__private::PayloadType::pack(self.#getter()),
            ),
        }
    });
    quote! {
        match property {
            #(#arms)*
            _ => ::spark::__private::ModuleFields::field_property(self, property),
        }
    }
}

fn set(properties: &[PropertyPort]) -> TokenStream {
    let arms = properties.iter().filter_map(|property| {
        let name = property.port.name.unraw().to_string();
        let setter = property.setter.as_ref()?;
        Some(quote! {
            #name => {
                self.#setter(::spark::__private::PayloadType::unpack(value)?);
                ::core::result::Result::Ok(())
            }
        })
    });
    quote! {
        match property {
            #(#arms)*
            _ => match ::spark::__private::ModuleFields::set_field_property(self, property, value) {
                ::core::option::Option::Some(result) => result,
                ::core::option::Option::None => ::core::result::Result::Err(::spark::__private::no_setter(
                    <Self as ::spark::__private::Module>::spec(),
                    property,
                )),
            },
        }
    }
}
