//! The build context: what a module's `build` sees.
//!
//! `build` runs once on the host, inside an eager session: handles made here hold numbers, and those left in
//! `#[variable]` and `#[constant]` fields become initial states and constants. Random keys are drawn in Spark's order,
//! one per call of [`Build::param`] or [`Build::key`], so a seed gives the reference's kernels, delays and masks.
//!
//! A parameter that does not fit does not end the build: [`Build::param`] records the mistake and gives a number in its
//! place, and so does everything that calls [`Build::report`]. Who builds the module then refuses it, with all its mistakes.

use crate::bounds;
use crate::config::validate;
use crate::config::{Config, ConfigSpec, Param};
use crate::error::{Error, Result};
use crate::init::InitOverrides;
use crate::payload::PayloadKind;
use crate::random::KeyChain;
use crate::rng::{Key, RngStream};
use indexmap::IndexMap;
use spark_compiler::array::{Bool, Int, Real, budget, tape};
use spark_compiler::ir::{Array, Axis, DType, Elem, Location, MOST_ELEMENTS, Shape};

/// What is known of an input before the first step.
#[derive(Clone, Debug, PartialEq)]
pub struct InputInfo {
    /// Kind of the payload.
    pub kind: &'static PayloadKind,
    /// Shape in the module's axes.
    pub shape: Shape,
    /// Spikes over synapses.
    pub async_spikes: bool,
}

/// What holds a module that is built.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holder {
    /// It is a model of its own.
    Nothing,
    Neuron,
    Brain,
}

/// What a module's `build` may ask and draw.
#[derive(Debug)]
pub struct Build<'a> {
    module: &'static str,
    inputs: &'a IndexMap<String, InputInfo>,
    rng: RngStream,
    earlier_calls: usize,
    in_neuron: bool,
    dtype: DType,
    dt: f64,
    /// Description of the module's configuration, once it is known.
    config: Option<&'static ConfigSpec>,
    errors: Vec<Error>,
}

impl<'a> Build<'a> {
    /// A context for a module of type `module` with these inputs.
    pub fn new(module: &'static str, inputs: &'a IndexMap<String, InputInfo>) -> Build<'a> {
        Build {
            module,
            inputs,
            rng: RngStream::new(0),
            earlier_calls: 1,
            in_neuron: false,
            dtype: DType::F32,
            dt: 1.0,
            config: None,
            errors: Vec::new(),
        }
    }

    /// Says how often Spark on JAX calls the module before the first step, to find out its outputs' shapes: once (the
    /// default), or 3 times inside a brain. Modules that draw a key per call begin after those keys.
    pub fn with_earlier_calls(mut self, calls: usize) -> Build<'a> {
        self.earlier_calls = calls;
        self
    }

    /// Says what holds the module.
    pub(crate) fn held_by(mut self, holder: Holder) -> Build<'a> {
        self.in_neuron = holder == Holder::Neuron;
        self.with_earlier_calls(if holder == Holder::Brain { 3 } else { 1 })
    }

    /// True for a module of a neuron.
    pub fn is_in_neuron(&self) -> bool {
        self.in_neuron
    }

    /// Records a mistake and lets the build go on; the module is refused at its end.
    ///
    /// The error names the parameter ([`Error::at`]), the value, its unit and what is allowed. Of several mistakes at one
    /// parameter the first counts: the others are of what stands in for it.
    pub fn report(&mut self, error: Error) {
        for error in error.errors() {
            if error.path().is_empty() || self.is_right(error.path()) {
                self.errors.push(error);
            }
        }
    }

    /// True if no mistake was recorded at the parameter `name`. What relates parameters to each other can be judged only then.
    pub fn is_right(&self, name: &str) -> bool {
        let inside =
            |path: &str| path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        !self.errors.iter().any(|error| inside(error.path()))
    }

    /// The mistakes recorded so far.
    pub(crate) fn take_errors(&mut self) -> Vec<Error> {
        std::mem::take(&mut self.errors)
    }

    /// True if nothing was recorded.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// Takes seed, precision and time step from the module's configuration.
    pub fn configure<C: Config>(&mut self, config: &C) {
        self.config = Some(C::spec());
        self.rng = RngStream::new(config.seed());
        self.dtype = config.dtype();
        self.dt = config.dt();
        tape::set_float(self.dtype.elem());
    }

    /// Time step, in ms.
    pub fn dt(&self) -> f64 {
        self.dt
    }

    /// Storage type of floating-point states.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The largest number of the storage type.
    pub fn largest(&self) -> f64 {
        bounds::largest(self.dtype)
    }

    /// The largest size of what enters the module, see [`bounded`](bounds::bounded); at most the largest number of its storage type.
    pub fn limit(&self) -> f64 {
        bounds::limit(self.float()).min(self.largest())
    }

    /// What is known of the input `port`.
    ///
    /// # Errors
    /// If nothing is connected to it.
    pub fn input(&self, port: &str) -> Result<&'a InputInfo> {
        self.inputs.get(port).ok_or_else(|| {
            let message = format!("{} needs something connected to its input `{port}`", self.module);
            Error::new(message).help(format!("connect `{port}`, or give its shape when the model is built"))
        })
    }

    /// True if something is connected to `port`.
    pub fn is_connected(&self, port: &str) -> bool {
        self.inputs.contains_key(port)
    }

    /// Shape of the input `port`, in the module's axes.
    ///
    /// # Errors
    /// If nothing is connected to it.
    pub fn shape(&self, port: &str) -> Result<Shape> {
        Ok(self.input(port)?.shape.clone())
    }

    /// True if the input `port` carries spikes over synapses.
    pub fn is_async(&self, port: &str) -> bool {
        self.inputs.get(port).is_some_and(|input| input.async_spikes)
    }

    /// Shape of the presynaptic side of the input `port`.
    ///
    /// # Errors
    /// If nothing is connected to it, or it has no presynaptic axis.
    pub fn pre(&self, port: &str) -> Result<Shape> {
        let shape = self.shape(port)?;
        let group = shape
            .group(Axis::PRE)
            .ok_or_else(|| Error::new(format!("`{port}` has shape {shape}, without a presynaptic axis")))?;
        Ok(Shape::of(Axis::PRE, &group.dims))
    }

    /// Keys for the steps of a module that draws one per call, as Spark on JAX does: they follow those drawn so far and
    /// those of the calls before the first step.
    pub fn key_chain(&self) -> KeyChain {
        let mut rng = self.rng;
        for _ in 0..self.earlier_calls {
            rng.next_key();
        }
        KeyChain::new(rng.state())
    }

    /// The next random key of the module.
    pub fn key(&mut self) -> Key {
        self.rng.next_key()
    }

    /// The value of a parameter: a scalar stays a scalar, an array must have `shape`, an initializer draws it. Draws one
    /// key, also where none is needed, as the reference does.
    ///
    /// If an array has another shape, or the initializer refuses or draws what the field's checks do not allow, that is
    /// recorded and 1 given in its place.
    ///
    /// # Errors
    /// If `shape` has too many elements.
    #[track_caller]
    pub fn param(&mut self, name: &str, param: &Param, shape: &Shape) -> Result<Real> {
        let array = self.array(name, param, shape, self.dtype, &InitOverrides::default())?;
        Ok(self.real(&array))
    }

    /// The array of a parameter, in storage type `dtype`; `overrides` replace the initializer's own settings. Draws one
    /// key. Mistakes are recorded as [`Build::param`] does.
    ///
    /// # Errors
    /// As [`Build::param`].
    pub fn array(
        &mut self,
        name: &str,
        param: &Param,
        shape: &Shape,
        dtype: DType,
        overrides: &InitOverrides,
    ) -> Result<Array> {
        let key = self.key();
        self.array_with_key(key, name, param, shape, dtype, overrides)
    }

    /// As [`Build::array`], but drawn from `key`: for modules that share a key out themselves ([`Key::split`]). Draws none.
    ///
    /// # Errors
    /// As [`Build::param`].
    pub fn array_with_key(
        &mut self,
        key: Key,
        name: &str,
        param: &Param,
        shape: &Shape,
        dtype: DType,
        overrides: &InitOverrides,
    ) -> Result<Array> {
        self.array_of_any(key, name, param, shape, &[dtype], overrides)
    }

    /// As [`Build::array_with_key`], but what an initializer draws is stored as the first of `dtypes` that can hold it: a large
    /// array that a smaller type holds is never there in a larger one. Given numbers are stored as the last.
    ///
    /// # Errors
    /// As [`Build::param`].
    pub fn array_of_any(
        &mut self,
        key: Key,
        name: &str,
        param: &Param,
        shape: &Shape,
        dtypes: &[DType],
        overrides: &InitOverrides,
    ) -> Result<Array> {
        if shape.checked_size().is_none_or(|n| n > MOST_ELEMENTS || !budget::take(n)) {
            let message = format!("an array of shape {shape} has too many elements");
            return Err(Error::new(message)
                .at(name)
                .help("at most 2^30 are possible, fewer under a limit of memory (ModelBuilder::memory_limit, --memory-limit); use fewer units or inputs"));
        }
        let (&dtype, smaller) = dtypes.split_last().unwrap_or((&self.dtype, &[]));
        let drawn = matches!(param, Param::Initializer(_));
        let mut fitting =
            smaller.iter().filter(|_| drawn).map(|&smaller| param.resolve(key, shape, smaller, overrides));
        let fitting = fitting.find(Result::is_ok).unwrap_or_else(|| param.resolve(key, shape, dtype, overrides));
        let resolved = fitting.and_then(|array| self.checked(name, param, array));
        Ok(resolved.unwrap_or_else(|error| {
            self.report(error.prefixed(name));
            Array::full(Shape::scalar(), dtype, 1.0)
        }))
    }

    /// What an initializer drew must pass the field's checks, and be finite. Given numbers passed them when the configuration
    /// was read, but rounded to the storage type they may be another number: a tiny time constant becomes 0.
    fn checked(&self, name: &str, param: &Param, array: Array) -> Result<Array> {
        let about = match param {
            Param::Initializer(initializer) => format!("drawn by the initializer `{}`", initializer.name()),
            _ => format!("rounded to {}", array.dtype().long_name()),
        };
        let checked = self.config.and_then(|spec| spec.field(name)).filter(|field| !field.checks.is_empty());
        if array.bounds().is_finite() && checked.is_none() {
            return Ok(array);
        }
        let values = array.to_f64();
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let message = format!("must be finite, found {} at position {at}, {about}", values[at]);
            return Err(Error::new(message).help("draw smaller numbers, or use a wider dtype"));
        }
        if let Some(field) = checked {
            validate::check(&values, field).map_err(|error| error.context(&about))?;
            let positive = <validate::checks::positive as validate::Validator>::SPEC.name;
            let divides = field.checks.iter().any(|check| check.name == positive);
            let smallest = if self.float() == Elem::F64 { f64::MAX.recip() } else { f64::from(f32::MAX).recip() };
            if let Some(at) = values.iter().position(|&value| divides && value > 0.0 && value < smallest) {
                let unit = field.units.filter(|&unit| unit != "1").map(|unit| format!(" {unit}")).unwrap_or_default();
                let message =
                    format!("must be at least {smallest:.0e}{unit}, found {}{unit} at position {at}", values[at]);
                return Err(Error::new(message).help("what is divided by it would be infinite"));
            }
        }
        Ok(array)
    }

    /// An array as a handle.
    pub fn real(&self, array: &Array) -> Real {
        Real::from_value(tape::constant("value", &array.convert(self.dtype).widen()))
    }

    /// Integers as a handle.
    pub fn int(&self, array: &Array) -> Int {
        Int::from_value(tape::constant("value", &array.convert(DType::I32)))
    }

    /// Truth values as a handle.
    pub fn bool(&self, array: &Array) -> Bool {
        Bool::from_value(tape::constant("value", &array.convert(DType::Bool)))
    }

    /// Zeros.
    pub fn zeros(&self, shape: &Shape) -> Real {
        Real::from_value(tape::constant("zeros", &zeros(shape, self.float().dtype())))
    }

    /// `value` everywhere; `value` may be smaller than `shape`.
    #[track_caller]
    pub fn full(&self, shape: &Shape, value: Real) -> Real {
        // Zero and a number is the number, but for −0; arrays that are there already are not made again.
        if value.shape() == *shape && value.known().is_some_and(|array| !array.bounds().minus_zero) {
            return value;
        }
        self.zeros(shape) + value
    }

    /// `false` everywhere.
    pub fn falses(&self, shape: &Shape) -> Bool {
        Bool::from_value(tape::constant("falses", &zeros(shape, DType::Bool)))
    }

    /// Zeros, as integers.
    pub fn int_zeros(&self, shape: &Shape) -> Int {
        Int::from_value(tape::constant("zeros", &zeros(shape, DType::I32)))
    }

    /// A number of the model's floating-point type.
    #[track_caller]
    pub fn number(&self, value: f64) -> Real {
        Real::scalar(value)
    }

    fn float(&self) -> Elem {
        self.dtype.elem()
    }
}

/// Zeros; a single one, and a mistake of the build, if there is no memory for them.
fn zeros(shape: &Shape, dtype: DType) -> Array {
    if shape.checked_size().is_some_and(budget::take) {
        return Array::zeros(shape.clone(), dtype);
    }
    tape::report(format!("an array of shape {shape} does not fit in memory"), Location::UNKNOWN);
    Array::zeros(Shape::scalar(), dtype)
}
