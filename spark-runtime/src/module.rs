//! Modules: the trait the macros implement, and the object controllers hold.
//!
//! A module's life: `build` (once, on the host) makes its fields; before every traced or eager step its fields are
//! *bound* to states and constants of the session; the step rebinds some of them; at the end each `#[variable]` whose
//! handle changed is written back.

use crate::bounds::saturated;
use crate::config::{Config, ConfigErrors, ConfigTree, FieldType, Units};
use crate::delay::DelayLine;
use crate::error::{Error, Result, unknown_name_help};
use crate::payload::{FloatArray, Payload, PayloadType};
use crate::port::{self, Args};
use crate::spec::{Direction, ModuleType, PortSpecs};
use spark_compiler::array::{Handle, Real, Value, tape};
use spark_compiler::ir::{Array, Axis, DType, Elem, Location, Shape};

pub use crate::build::{Build, InputInfo};

/// Fields and configuration of a module's struct: implemented by `#[spark::module]` on the struct.
pub trait ModuleFields: Send + 'static {
    /// Its configuration.
    type Config: Config;
    /// Registered name.
    const NAME: &'static str;
    /// Where the editor lists it.
    const CATEGORY: &'static str;
    /// What it models.
    const DESCRIPTION: &'static str;
    /// The configuration it was built from.
    fn config(&self) -> &Self::Config;
    /// The properties that fields are.
    const PROPERTIES: &'static [PortSpecs];
    /// Shows every variable, constant and nested part to `visitor`.
    fn visit_fields(&mut self, visitor: &mut dyn FieldVisitor);
    /// The value of a property that is a field.
    fn field_property(&self, property: &str) -> Option<Payload>;
    /// Sets a property that is a field; `None` if none of this name can be set.
    fn set_field_property(&mut self, property: &str, value: Payload) -> Option<Result<()>>;
}

/// Build, step and properties of a module: implemented by `#[spark::module]` on the impl.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a module",
    note = "annotate its struct and its impl with #[spark::module]"
)]
pub trait Module: ModuleFields + Sized {
    /// Its description.
    fn spec() -> &'static ModuleType;
    /// Builds it.
    ///
    /// # Errors
    /// If the configuration does not fit the inputs.
    fn build(cx: &mut Build<'_>, config: Self::Config) -> Result<Self>;
    /// Shape of its outputs, if the configuration alone tells it: so modules may be wired in circles. Without it, it is
    /// `units`, if the configuration has that field and the outputs are over units.
    fn output_shape(config: &Self::Config) -> Option<Units> {
        let _ = config;
        None
    }
    /// One step.
    ///
    /// # Errors
    /// If an input has the wrong kind.
    fn call(&mut self, args: &mut Args) -> Result<Vec<Payload>>;
    /// A property's value now.
    fn get(&self, property: &str) -> Option<Payload>;
    /// Sets a property.
    ///
    /// # Errors
    /// If there is no such property or it has no setter.
    fn set(&mut self, property: &str, value: Payload) -> Result<()>;
}

/// Sees the fields of a module.
pub trait FieldVisitor {
    /// A state variable.
    fn variable(&mut self, name: &'static str, doc: &'static str, handle: &mut dyn Handle);
    /// A constant.
    fn constant(&mut self, name: &'static str, doc: &'static str, handle: &mut dyn Handle);
    /// A delay line.
    fn delay(&mut self, name: &'static str, line: &mut DelayLine);
    /// What follows, up to `leave`, belongs to the nested part `name`.
    fn enter(&mut self, name: &'static str);
    /// Ends a nested part.
    fn leave(&mut self);
}

/// A stateful part a module can hold in a `#[module]` field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a #[module] field",
    note = "nested parts are modules, tracers and delay lines"
)]
pub trait Nested {
    /// Shows its fields to `visitor`.
    fn visit_parts(&mut self, visitor: &mut dyn FieldVisitor);

    /// Shows its fields to `visitor` as those of the part `name`.
    fn visit_nested(&mut self, visitor: &mut dyn FieldVisitor, name: &'static str) {
        visitor.enter(name);
        self.visit_parts(visitor);
        visitor.leave();
    }
}

impl<M: ModuleFields> Nested for M {
    fn visit_parts(&mut self, visitor: &mut dyn FieldVisitor) {
        self.visit_fields(visitor);
    }
}

/// Shows a nested part to `visitor`.
pub fn visit_nested(visitor: &mut dyn FieldVisitor, name: &'static str, part: &mut dyn Nested) {
    part.visit_nested(visitor, name);
}

/// Shows the fields of a nested part to `visitor` as those of what holds it.
pub fn visit_flattened(visitor: &mut dyn FieldVisitor, part: &mut dyn Nested) {
    part.visit_parts(visitor);
}

/// Input ports that several modules have: implemented by `#[spark::ports]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a struct of ports",
    label = "not ports",
    note = "what an argument with #[ports] has is a struct with #[spark::ports]"
)]
pub trait InputPorts: Sized {
    /// The ports, in the order of the fields.
    const PORTS: &'static [PortSpecs];
    /// What is connected to them, where the first is number `first` of all.
    ///
    /// # Errors
    /// If an input has the wrong kind.
    fn take(args: &mut Args, first: usize) -> Result<Self>;
}

/// How many ports these groups have together.
pub const fn count_ports(groups: &[&[PortSpecs]]) -> usize {
    let (mut count, mut group) = (0, 0);
    while group < groups.len() {
        count += groups[group].len();
        group += 1;
    }
    count
}

/// The ports of all groups, which are `N` together.
///
/// # Panics
/// If they are another number.
pub const fn join_ports<const N: usize>(groups: &[&[PortSpecs]]) -> [PortSpecs; N] {
    assert!(count_ports(groups) == N, "room for every port");
    let mut joined = [PortSpecs {
        name: "",
        payload: FloatArray::KIND,
        axes: &[],
        optional: false,
        variadic: false,
        settable: false,
        description: "",
    }; N];
    let (mut at, mut group) = (0, 0);
    while group < groups.len() {
        let mut port = 0;
        while port < groups[group].len() {
            joined[at] = groups[group][port];
            (at, port) = (at + 1, port + 1);
        }
        group += 1;
    }
    joined
}

/// The same for input ports.
///
/// # Panics
/// If they are another number, or two have one name.
pub const fn join_inputs<const N: usize>(groups: &[&[PortSpecs]]) -> [PortSpecs; N] {
    let joined: [PortSpecs; N] = join_ports(groups);
    let mut at = 0;
    while at < N {
        let mut earlier = 0;
        while earlier < at {
            assert!(!same(joined[earlier].name, joined[at].name), "two input ports have one name");
            earlier += 1;
        }
        at += 1;
    }
    joined
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// The error of setting a property that has no setter.
pub fn no_setter(spec: &ModuleType, property: &str) -> Error {
    let settable = spec.properties.iter().filter(|p| p.settable).map(|p| p.name);
    Error::new(format!("{} has no property `{property}` that can be set", spec.name))
        .help(unknown_name_help(property, settable))
}

/// A port of a module or controller.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Which way it points.
    pub direction: Direction,
    /// Its description.
    pub spec: PortSpecs,
}

/// A built module or controller.
pub trait DynModule: Send {
    /// Registered name of its type.
    fn type_name(&self) -> &str;
    /// Its input, output and property ports.
    fn ports(&self) -> Vec<Port>;
    /// Storage type of its floating-point values.
    fn dtype(&self) -> DType;
    /// Binds its fields to the current session; their names begin with `path`.
    fn bind(&mut self, path: &str);
    /// One step: one payload per output port.
    ///
    /// # Errors
    /// If an input is missing or has the wrong kind.
    fn call(&mut self, args: Args) -> Result<Vec<Payload>>;
    /// Writes changed variables back to their states.
    fn commit(&mut self);
    /// A property's value now.
    fn get(&self, property: &str) -> Option<Payload>;
    /// Sets a property.
    ///
    /// # Errors
    /// If there is no such property or it has no setter.
    fn set(&mut self, property: &str, value: Payload) -> Result<()>;
    /// An output port or property by path (`spikes`, or `soma.spikes` in a controller), after a step was recorded.
    fn read(&self, path: &str) -> Option<Payload>;
    /// Its configuration.
    fn config(&self) -> ConfigTree;
    /// The modules inside, if it is a controller.
    fn children(&self) -> Vec<(&str, &dyn DynModule)> {
        Vec::new()
    }
}

/// A field's stored value: initial state or constant.
struct Slot {
    name: String,
    value: Array,
    variable: bool,
    /// The handle's value when the step began.
    bound: Option<Value>,
    /// Full name in the current session.
    path: String,
}

/// A module with the stored values of its fields.
struct Component<M: Module> {
    module: M,
    slots: Vec<Slot>,
    /// Outputs of the step recorded last.
    outputs: Vec<Payload>,
}

/// Builds a module from its configuration as far as that goes: what registry entries point to.
///
/// Mistakes in single parameters are left in `cx` ([`Build::report`]), with a module built from what stands in for them:
/// good for asking its shapes, not for use. [`Blueprint::build`](crate::controller::Blueprint::build) refuses such a module.
///
/// # Errors
/// If the module cannot be built at all: something it needs is not connected, or a parameter without a default is wrong.
/// Mistakes recorded in `cx` are part of the error then.
pub fn attempt<M: Module>(cx: &mut Build<'_>, tree: &ConfigTree) -> Result<Box<dyn DynModule>> {
    let (config, errors) = read_config::<M::Config>(tree);
    let config_is_right = errors.is_empty();
    errors.into_iter().for_each(|error| cx.report(error));
    let built = match config {
        Some(config) => Component::<M>::build(cx, config),
        None => Err(Vec::new()),
    };
    match built {
        Ok(module) => Ok(Box::new(module)),
        Err(errors) => {
            errors.into_iter().for_each(|error| cx.report(error));
            let all = cx.take_errors();
            debug_assert!(!config_is_right || !all.is_empty(), "a module that is not built says why");
            Err(Error::many(all))
        }
    }
}

/// Checks a module's configuration without building it: what registry entries point to.
///
/// # Errors
/// Every mistake of the configuration.
pub fn validate<M: Module>(tree: &ConfigTree) -> Result<()> {
    let (_, errors) = read_config::<M::Config>(tree);
    if errors.is_empty() { Ok(()) } else { Err(Error::many(errors)) }
}

/// A module's configuration as far as it can be read, and its mistakes.
fn read_config<C: Config>(tree: &ConfigTree) -> (Option<C>, Vec<Error>) {
    let mut errors = ConfigErrors::new();
    let config = C::read_tree(tree, &mut errors);
    if let Some(dtype) = config.as_ref().map(Config::dtype).filter(|dtype| !dtype.is_float()) {
        let message = format!("`{}` is not a floating-point type", dtype.long_name());
        errors.push(Error::new(message).at("dtype").help("float16, bfloat16, float32 and float64 are"));
        return (None, errors.into_errors());
    }
    (config, errors.into_errors())
}

/// Shape of a module's outputs, if its configuration alone tells it: what registry entries point to.
pub fn output_shape<M: Module>(tree: &ConfigTree) -> Option<Shape> {
    let config = M::Config::from_tree(tree).ok()?;
    let units = || match M::spec().outputs.iter().all(|port| port.axes == [Axis::UNITS]) {
        true => config.to_tree().get("units").and_then(|units| Units::from_value(units).ok()),
        false => None,
    };
    M::output_shape(&config).or_else(units).map(|dims| Shape::units(&dims))
}

impl<M: Module> Component<M> {
    /// Builds the module; mistakes that do not prevent that are left in `cx`.
    fn build(cx: &mut Build<'_>, config: M::Config) -> Result<Component<M>, Vec<Error>> {
        let session = tape::Session::begin(M::NAME, tape::Mode::Eager, config.dtype().elem(), tape::Memory::default());
        session.fuse_functions();
        cx.configure(&config);
        let mut module = M::build(cx, config).map_err(|error| vec![error])?;
        let mut collect = Collect { prefix: Vec::new(), dtype: cx.dtype(), slots: Vec::new() };
        module.visit_fields(&mut collect);
        session.finish().map_err(|errors| vec![trace_errors(errors)])?;
        let twice =
            (1..collect.slots.len()).filter(|&i| collect.slots[..i].iter().any(|s| s.name == collect.slots[i].name));
        for again in twice {
            let message = format!("{} has two fields called `{}`", M::NAME, collect.slots[again].name);
            cx.report(Error::new(message).help("rename one, or hold its part without `flatten`"));
        }
        // What stands in for wrong parameters may give anything.
        let slots = if cx.is_clean() { collect.slots.iter() } else { [].iter() };
        // A variable may begin at infinity: that of a running minimum does.
        let wrong = |slot: &&Slot| {
            let bounds = slot.value.bounds();
            bounds.nan || !bounds.is_finite() && !slot.variable
        };
        for slot in slots.filter(wrong) {
            let kind = if slot.value.bounds().nan { "not a number" } else { "infinite" };
            let message = format!("{} builds `{}` with a value that is {kind}", M::NAME, slot.name);
            cx.report(Error::new(message).at(&slot.name).help("check the parameters it is computed from"));
        }
        Ok(Component { module, slots: collect.slots, outputs: Vec::new() })
    }
}

/// The mistakes of a session as one error.
pub(crate) fn trace_errors(errors: Vec<tape::TraceError>) -> Error {
    let one = |e: tape::TraceError| {
        let error = Error::new(e.message);
        if e.location == Location::UNKNOWN { error } else { error.location(e.location) }
    };
    Error::many(errors.into_iter().map(one).collect())
}

struct Collect {
    prefix: Vec<&'static str>,
    dtype: DType,
    slots: Vec<Slot>,
}

impl Collect {
    fn add(&mut self, name: &'static str, handle: &mut dyn Handle, variable: bool) {
        let value = tape::known(handle.value()).unwrap_or_else(|| {
            tape::report(format!("`{name}` was not given a value in build"), Location::UNKNOWN);
            Array::full(Shape::scalar(), DType::F32, 0.0)
        });
        let dtype = match value.elem() {
            Elem::F32 | Elem::F64 => self.dtype,
            Elem::I32 => DType::I32,
            Elem::Bool => DType::Bool,
        };
        let name = self.prefix.iter().copied().chain([name]).collect::<Vec<_>>().join(".");
        self.slots.push(Slot { path: name.clone(), name, value: value.convert(dtype), variable, bound: None });
    }
}

impl FieldVisitor for Collect {
    fn variable(&mut self, name: &'static str, _doc: &'static str, handle: &mut dyn Handle) {
        self.add(name, handle, true);
    }

    fn constant(&mut self, name: &'static str, _doc: &'static str, handle: &mut dyn Handle) {
        self.add(name, handle, false);
    }

    fn delay(&mut self, _name: &'static str, _line: &mut DelayLine) {}

    fn enter(&mut self, name: &'static str) {
        self.prefix.push(name);
    }

    fn leave(&mut self) {
        self.prefix.pop();
    }
}

/// Binds handles to the slots, in visiting order.
struct Bind<'a> {
    path: &'a str,
    prefix: Vec<&'static str>,
    slots: std::slice::IterMut<'a, Slot>,
}

impl Bind<'_> {
    fn next(&mut self, handle: &mut dyn Handle) {
        let Some(slot) = self.slots.next() else { return };
        slot.path = join(self.path, &slot.name);
        let value =
            if slot.variable { tape::state(&slot.path, &slot.value) } else { tape::constant(&slot.path, &slot.value) };
        handle.bind(value);
        slot.bound = Some(value);
    }
}

impl FieldVisitor for Bind<'_> {
    fn variable(&mut self, _name: &'static str, _doc: &'static str, handle: &mut dyn Handle) {
        self.next(handle);
    }

    fn constant(&mut self, _name: &'static str, _doc: &'static str, handle: &mut dyn Handle) {
        self.next(handle);
    }

    fn delay(&mut self, name: &'static str, line: &mut DelayLine) {
        let inner = self.prefix.iter().copied().chain([name]).collect::<Vec<_>>().join(".");
        line.bind(join(self.path, &inner));
    }

    fn enter(&mut self, name: &'static str) {
        self.prefix.push(name);
    }

    fn leave(&mut self) {
        self.prefix.pop();
    }
}

/// Writes changed variables back, in visiting order.
struct Commit<'a> {
    slots: std::slice::Iter<'a, Slot>,
}

impl FieldVisitor for Commit<'_> {
    fn variable(&mut self, _name: &'static str, _doc: &'static str, handle: &mut dyn Handle) {
        let Some(slot) = self.slots.next() else { return };
        if slot.bound != Some(handle.value()) {
            tape::set_state(&slot.path, stored(handle.value(), slot.value.dtype()), Location::UNKNOWN);
        }
    }

    fn constant(&mut self, name: &'static str, _doc: &'static str, handle: &mut dyn Handle) {
        let Some(slot) = self.slots.next() else { return };
        if slot.bound != Some(handle.value()) {
            let message = format!("the step assigns to the constant `{name}`; make it a #[variable]");
            tape::report(message, Location::UNKNOWN);
        }
    }

    fn delay(&mut self, _name: &'static str, _line: &mut DelayLine) {}

    fn enter(&mut self, _name: &'static str) {}

    fn leave(&mut self) {}
}

/// A value as it can be stored: numbers that overflow the type are its largest.
fn stored(value: Value, dtype: DType) -> Value {
    if tape::describe(value).0.is_float() { saturated(Real::from_value(value), dtype).value() } else { value }
}

pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}

impl<M: Module> DynModule for Component<M> {
    fn type_name(&self) -> &str {
        M::NAME
    }

    fn ports(&self) -> Vec<Port> {
        port::ports_of(M::spec())
    }

    fn dtype(&self) -> DType {
        self.module.config().dtype()
    }

    fn bind(&mut self, path: &str) {
        let Component { module, slots, .. } = self;
        module.visit_fields(&mut Bind { path, prefix: Vec::new(), slots: slots.iter_mut() });
    }

    fn call(&mut self, args: Args) -> Result<Vec<Payload>> {
        let former = tape::set_float(self.dtype().elem());
        let outputs = args.adapted(M::spec()).and_then(|mut args| self.module.call(&mut args));
        tape::set_float(former);
        let dtype = self.dtype();
        self.outputs = outputs?.iter().map(|output| output.map(|&part| stored(part, dtype))).collect();
        Ok(self.outputs.clone())
    }

    fn commit(&mut self) {
        let Component { module, slots, .. } = self;
        module.visit_fields(&mut Commit { slots: slots.iter() });
    }

    fn get(&self, property: &str) -> Option<Payload> {
        self.module.get(property)
    }

    fn set(&mut self, property: &str, value: Payload) -> Result<()> {
        self.module.set(property, value)
    }

    fn read(&self, path: &str) -> Option<Payload> {
        let output = M::spec().outputs.iter().position(|p| p.name == path);
        output.and_then(|at| self.outputs.get(at).cloned()).or_else(|| self.module.get(path))
    }

    fn config(&self) -> ConfigTree {
        self.module.config().to_tree()
    }
}

/// Checks at compile time that a step's argument is a payload; emitted by the macro with the argument's span.
pub const fn assert_port<T: PayloadType>() {}
