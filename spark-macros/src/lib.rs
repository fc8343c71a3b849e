//! The attribute macros of Spark.
//!
//! | attribute | on | does |
//! |---|---|---|
//! | [`macro@config`] | a struct with named fields | describes, reads, writes and registers a configuration |
//! | [`macro@initializer`] | a struct with named fields | makes it a configuration that draws parameters |
//! | [`macro@module`] | a struct | tells variables, constants, nested modules and the config apart |
//! | [`macro@module`] | its `impl` block | describes the ports, registers the module, rewrites the method bodies |
//! | [`macro@neuron`] | a struct without fields | registers a type of neuron and its configuration |
//! | [`macro@part`] | a struct | makes a stateful part that modules hold |
//! | [`macro@payload`] | a struct of array handles | makes it a payload that ports carry |
//! | [`macro@ports`] | a struct of payloads | makes it input ports that several modules have |
//! | [`macro@traced`] | a free `fn` or any `impl` block | rewrites the bodies and nothing else |
//! | [`macro@validator`] | a `fn(f64) -> bool` | makes it a check of parameters |
//!
//! Every macro is three steps, one file each: **parse** (syntax into a small model, nothing judged), **check** (every mistake
//! recorded, none fatal) and **emit** (static data and calls into `::spark::__private`, no logic).
//! Three rules hold everywhere:
//!
//! * all mistakes of an item are reported at once, each at the token at fault (`ctxt.rs`);
//! * the user's item is always emitted again, without our helper attributes, so that one mistake gives one message;
//! * *the type of an operand decides, never the macro*: what is rewritten works the same on host values (`rewrite/`).

mod attrs;
mod config;
mod ctxt;
mod initializer;
mod items;
mod module;
mod neuron;
mod part;
mod payload;
mod ports;
mod rewrite;
mod units;
mod validator;

use proc_macro::TokenStream;

/// Turns a struct with named fields into a Spark configuration.
///
/// Each field may carry `#[param(..)]` with the keys
///
/// * `default = EXPR`: without it the field is required;
/// * `units = "mV"`: the physical unit, a product or quotient of known units such as `"nS/mV"`;
/// * `check = positive` or `check = [positive, finite]`: what a value must satisfy
///   (`positive`, `non_negative`, `zero_one`, `binary`, `finite`, or the path of a [`macro@validator`]);
/// * `rename = "name"`: the name in files; `alias = "old_name"`: a further name accepted there.
///
/// The macro adds the fields `seed`, `dtype` and `dt` unless they are declared or the attribute reads
/// `#[spark::config(bare)]` or `(group)`; derives `Clone`, `Debug` and `PartialEq`; writes `Default` if every field has a default and
/// `new(required fields in order)` otherwise; and one chained setter `with_FIELD` per field.
///
/// ```
/// use spark::prelude::*;
///
/// /// Parameters of a soma.
/// #[spark::config]
/// pub struct TutorialSomaConfig {
///     /// Membrane rest potential.
///     #[param(default = -60.0, units = "mV")]
///     pub potential_rest: Param,
///     /// Shape of the pool.
///     pub units: Units,
/// }
///
/// let config = TutorialSomaConfig::new(64).with_potential_rest(-65.0);
/// assert_eq!(config.dt, 1.0);
/// ```
///
/// # Groups of parameters
///
/// Parameters that several configurations have are written once, as a *group*: a struct with `#[spark::config(group)]`. A
/// field with `#[flatten]` makes a group's fields the configuration's own, at its place: in files, in messages, in
/// `spark describe`, as setters and as arguments of `new` there is no group. Only code sees it, as a field with a name.
///
/// * `#[flatten(tau = 10.0)]` replaces the group's default of `tau`;
/// * a group may flatten other groups;
/// * two fields of one name are an error.
///
/// ```
/// use spark::config::Config;
/// use spark::prelude::*;
///
/// /// What every leaky membrane has.
/// #[spark::config(group)]
/// pub struct TutorialMembraneConfig {
///     /// Membrane time constant.
///     #[param(default = 20.0, units = "ms", check = positive)]
///     pub tau: Param,
///     /// Potential above which the neuron spikes.
///     #[param(default = -40.0, units = "mV")]
///     pub threshold: Param,
/// }
///
/// /// Parameters of a soma.
/// #[spark::config]
/// pub struct TutorialLeakyConfig {
///     #[flatten(tau = 10.0)]
///     pub membrane: TutorialMembraneConfig,
///     /// Refractory period.
///     #[param(default = 2.0, units = "ms")]
///     pub cooldown: Param,
/// }
///
/// let config = TutorialLeakyConfig::default().with_threshold(-50.0);
/// assert_eq!(config.membrane.tau, Param::from(10.0));
/// let names: Vec<&str> = TutorialLeakyConfig::spec().fields.iter().map(|field| field.name).collect();
/// assert_eq!(names, ["tau", "threshold", "cooldown", "seed", "dtype", "dt"]);
/// ```
#[proc_macro_attribute]
pub fn config(attributes: TokenStream, item: TokenStream) -> TokenStream {
    config::expand(config::Attribute::Config, attributes.into(), item.into()).into()
}

/// Makes a struct an initializer: a configuration whose numbers are drawn when a module is built.
///
/// The fields are those of [`macro@config`]; none are added. The key `name = ".."` is the registered name, else the struct's;
/// files call the configuration by that name with `Config` after it. How it draws is an `impl Initializer` beside it. Any
/// parameter of type `Param` takes it, in code and in files.
///
/// ```
/// use spark::prelude::*;
/// use spark::init::InitOverrides;
/// use spark::rng::Key;
///
/// /// Weights that fall off along the last axis: `scale`, `scale`/2, `scale`/3 and so on.
/// #[spark::initializer]
/// pub struct Harmonic {
///     /// The largest weight.
///     #[param(default = 1.0, check = finite)]
///     pub scale: f64,
/// }
///
/// impl Initializer for Harmonic {
///     fn init(&self, _key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array> {
///         let scale = overrides.scale.unwrap_or(self.scale);
///         let last = shape.last().copied().unwrap_or(1);
///         let values = (0..shape.iter().product()).map(|i: usize| scale / (1 + i % last) as f64).collect();
///         spark::init::stored(Data::F64(values), shape, dtype)
///     }
/// }
///
/// let config = LinearSynapsesConfig::new(1).with_kernel(Harmonic::default().with_scale(6.0));
/// let mut model = Model::component(config).input("spikes", [3]).build()?;
/// let outputs = model.run(1, &[("spikes", vec![true, true, true].into())])?;
/// assert_eq!(outputs.get("currents")?.value().to_f32(), [11.0]);
/// # Ok::<(), spark::Error>(())
/// ```
#[proc_macro_attribute]
pub fn initializer(attributes: TokenStream, item: TokenStream) -> TokenStream {
    config::expand(config::Attribute::Initializer, attributes.into(), item.into()).into()
}

/// Goes on with a configuration after a group it flattens has told its fields.
#[doc(hidden)]
#[proc_macro]
pub fn flatten(input: TokenStream) -> TokenStream {
    config::continued(input.into()).into()
}

/// Makes a Spark module of a struct and its `impl` block; goes on both.
///
/// On the struct (keys `category = ".."` and `name = ".."`) every field has one role: `#[config]` (exactly one field),
/// `#[variable]` (state), `#[constant]`, `#[module]` (a nested part or module) or `#[host]` (plain data, left alone). States of
/// a nested part are named `field.state`; with `#[module(flatten)]` they count as the module's own, `state`.
///
/// A variable or constant that other modules may read is a *property*: `#[variable(property = PotentialArray)]` with the
/// payload it is read as, `axis = (post, pre)` if it is not over `units`, and `set` if other modules may write it (as a
/// plasticity rule writes a kernel). It has the field's name and documentation. A property that is not a field as it stands
/// is a method with `#[property]`.
///
/// On the `impl` block (no keys):
///
/// * `fn build(cx: &mut Build, config: C) -> Result<Self>` runs once, on the host, as written;
/// * one method has `#[step(out = name)]` or `#[step(out = (a, b), axis = (post, pre))]`: its arguments are the input ports
///   (`Option<T>` optional, `Vec<T>` variadic, `Payload` for any payload, `#[axis(pre)]` on an argument), what it returns
///   the output ports. Documentation on an argument is the port's; that on the method is the output's, or has an item
///   "* `name`: .." for each of several. An argument with `#[ports]` is a struct of ports, see [`macro@ports`];
/// * `#[property]` on `fn kernel(&self) -> T` is a computed property, on `fn set_kernel(&mut self, kernel: T)` its setter;
/// * `fn output_shape(config: &C) -> Option<Units>`, if there is one, tells the shape of the outputs before the inputs are
///   known; without it, it is the field `units` of the configuration, if there is one;
/// * `#[host]` on a function keeps its body as written. All other bodies are rewritten as [`macro@traced`] says.
///
/// ```
/// use spark::prelude::*;
///
/// /// Parameters of [`Summing`].
/// #[spark::config]
/// pub struct SummingConfig {
///     /// Potential above which the neuron spikes.
///     #[param(default = 1.0, units = "mV")]
///     pub threshold: Param,
/// }
///
/// /// Sums its input and spikes.
/// #[spark::module(category = "Tutorial")]
/// pub struct Summing {
///     #[config] config: SummingConfig,
///     /// Membrane potential, in mV.
///     #[variable(property = PotentialArray)] potential: Real,
///     #[constant] threshold: Real,
/// }
///
/// #[spark::module]
/// impl Summing {
///     fn build(cx: &mut Build, config: SummingConfig) -> Result<Self> {
///         let units = cx.shape("current")?;
///         let threshold = cx.param("threshold", &config.threshold, &units)?;
///         Ok(Self { potential: cx.zeros(&units), threshold, config })
///     }
///
///     #[step(out = spikes)]
///     fn step(&mut self, current: CurrentArray) -> SpikeArray {
///         self.potential = self.potential + current;
///         let fired = self.potential > self.threshold;
///         if fired {
///             self.potential = Real::from(0.0);
///         }
///         SpikeArray::new(fired, None)
///     }
/// }
///
/// let mut model = Model::component(SummingConfig::default()).input("current", [1]).build()?;
/// let outputs = model.run(2, &[("current", vec![0.6f32].into())])?;
/// assert_eq!(outputs.spikes("spikes")?, [true]);
///
/// let mut model = Model::component(SummingConfig::default())
///     .input("current", [1])
///     .record("potential")
///     .build()?;
/// let outputs = model.run(1, &[("current", vec![0.5f32].into())])?;
/// assert_eq!(outputs.get("potential")?.value().to_f32(), [0.5]);
/// # Ok::<(), spark::Error>(())
/// ```
#[proc_macro_attribute]
pub fn module(attributes: TokenStream, item: TokenStream) -> TokenStream {
    module::expand(attributes.into(), item.into()).into()
}

/// Registers a type of neuron: a population with modules of its own, under the name of a struct without fields.
///
/// The modules and their connections are an `impl NeuronModel` beside it, which may ask functions that several types share.
/// The struct's name with `Config` after it is the type's configuration: `modules_specs`, which are those modules unless
/// replaced, `units`, which is required, `seed`, `dt` and `inhibitory_rate`. Brains, files and the `spark` command know the
/// type by its name.
///
/// ```
/// use spark::controller::BrainConfig;
/// use spark::prelude::*;
///
/// /// Leaky neurons with linear synapses, without plasticity.
/// #[spark::neuron]
/// pub struct PlainNeuron;
///
/// impl NeuronModel for PlainNeuron {
///     fn modules() -> Vec<ModuleSpecs> {
///         vec![
///             ModuleSpecs::new("synapses", "LinearSynapses")
///                 .input("spikes", PortMap::output(PortMap::CALL, "in_spikes")),
///             ModuleSpecs::new("soma", "LeakySoma")
///                 .input("current", PortMap::output("synapses", "currents"))
///                 .output("out_spikes", "spikes"),
///         ]
///     }
/// }
///
/// let config = PlainNeuronConfig::new([3]).with_inhibitory_rate(0.0);
/// let mut model = Model::component(config).input("in_spikes", [2]).build()?;
/// let outputs = model.run(5, &[("in_spikes", vec![true, true].into())])?;
/// assert_eq!(outputs.spikes("out_spikes")?.len(), 3);
///
/// // By its name, in a brain.
/// let pool = ModuleSpecs::new("pool", "PlainNeuron")
///     .config(&PlainNeuronConfig::new([3]))
///     .input("in_spikes", PortMap::output(PortMap::CALL, "drive"))
///     .output("out", "out_spikes");
/// let brain = BrainConfig::new(vec![pool]);
/// assert!(Model::component(brain).input("drive", [2]).build().is_ok());
/// # Ok::<(), spark::Error>(())
/// ```
#[proc_macro_attribute]
pub fn neuron(attributes: TokenStream, item: TokenStream) -> TokenStream {
    neuron::expand(attributes.into(), item.into()).into()
}

/// Makes a struct a stateful part that modules hold in a `#[module]` field.
///
/// Its fields have the roles of a module's, without a config: `#[variable]`, `#[constant]`, `#[module]` or `#[host]`. Its
/// variables become states of the module that holds it, named `field_of_the_module.field_of_the_part`; in a field with
/// `#[module(flatten)]`, `field_of_the_part`. A traced `if` may change a part: by its methods `step`, `update` and `fire`, or by
/// assigning its fields. Put [`macro@traced`] on its `impl` block.
///
/// A part may be generic: what several models do alike is then written once, for any membrane or trace.
///
/// ```
/// use spark::prelude::*;
///
/// /// A running sum.
/// #[spark::part]
/// pub struct Sum {
///     #[variable]
///     total: Real,
/// }
///
/// #[spark::traced]
/// impl Sum {
///     fn add(&mut self, x: Real) -> Real {
///         self.total += x;
///         self.total
///     }
/// }
///
/// let total = spark::eager(|| {
///     let mut sum = Sum { total: Real::from(1.0) };
///     sum.add(Real::from(2.0)).known()
/// })?;
/// assert_eq!(total.unwrap().to_f32(), [3.0]);
/// # Ok::<(), spark::Error>(())
/// ```
#[proc_macro_attribute]
pub fn part(attributes: TokenStream, item: TokenStream) -> TokenStream {
    part::expand(attributes.into(), item.into()).into()
}

/// Makes a struct of array handles a payload, which the ports of modules carry.
///
/// Every field is a part: `Real`, `Int` or `Bool`; the first is the value itself. A `bool` field with `#[async_spikes]` is no
/// part, it says whether the payload travels over synapses. A struct of one field without a name gets `new`, `value`,
/// `shape` and `From`. `Clone`, `Copy` and `Debug` are derived. The key `name = ".."` is the registered name, else the
/// struct's.
///
/// ```
/// use spark::prelude::*;
///
/// /// Synaptic conductances and the potential they pull to.
/// #[spark::payload]
/// pub struct Conductance {
///     /// In nS.
///     pub value: Real,
///     /// In mV.
///     pub reversal: Real,
/// }
///
/// #[spark::config]
/// pub struct OpeningConfig {
///     #[param(default = -70.0, units = "mV")]
///     pub reversal: Param,
/// }
///
/// /// Opens a channel for every spike.
/// #[spark::module(category = "Tutorial")]
/// pub struct Opening {
///     #[config] config: OpeningConfig,
///     #[constant] reversal: Real,
/// }
///
/// #[spark::module]
/// impl Opening {
///     fn build(cx: &mut Build, config: OpeningConfig) -> Result<Self> {
///         let units = cx.shape("spikes")?;
///         Ok(Self { reversal: cx.param("reversal", &config.reversal, &units)?, config })
///     }
///
///     #[step(out = conductance)]
///     fn step(&mut self, spikes: SpikeArray) -> Conductance {
///         Conductance { value: spikes.to_real(), reversal: self.reversal }
///     }
/// }
///
/// let mut model = Model::component(OpeningConfig::default()).input("spikes", [2]).build()?;
/// let outputs = model.run(1, &[("spikes", vec![true, false].into())])?;
/// assert_eq!(outputs.get("conductance")?.value().to_f32(), [1.0, 0.0]);
/// assert_eq!(outputs.get("conductance.reversal")?.value().to_f32(), [-70.0, -70.0]);
/// # Ok::<(), spark::Error>(())
/// ```
#[proc_macro_attribute]
pub fn payload(attributes: TokenStream, item: TokenStream) -> TokenStream {
    payload::expand(attributes.into(), item.into()).into()
}

/// Makes a struct the input ports that several modules have in common.
///
/// Its fields are what arguments of a step are: a payload, `Option` or `Vec` of one, with documentation and `#[axis(..)]`. A
/// step takes them all in an argument with `#[ports]`; the argument's name does not matter, the ports have those of the fields.
///
/// ```
/// use spark::prelude::*;
///
/// /// What both sides of a synapse do.
/// #[spark::ports]
/// pub struct TutorialSpikes {
///     /// Presynaptic spikes.
///     #[axis(pre)]
///     pub before: SpikeArray,
///     /// Postsynaptic spikes.
///     pub after: SpikeArray,
/// }
///
/// /// Parameters of [`Coincidence`].
/// #[spark::config]
/// pub struct CoincidenceConfig {}
///
/// /// Where both sides of a synapse spike.
/// #[spark::module(category = "Tutorial")]
/// pub struct Coincidence {
///     #[config]
///     config: CoincidenceConfig,
/// }
///
/// #[spark::module]
/// impl Coincidence {
///     fn build(_: &mut Build, config: CoincidenceConfig) -> Result<Self> {
///         Ok(Self { config })
///     }
///
///     #[step(out = both, axis = (post, pre))]
///     fn step(&mut self, #[ports] spikes: TutorialSpikes, factor: FloatArray) -> FloatArray {
///         (factor * (spikes.after.to_real() * spikes.before.to_real())).into()
///     }
/// }
///
/// let builder = Model::component(CoincidenceConfig::default()).input("before", [2]).input("after", [1]);
/// let mut model = builder.input("factor", [1]).build()?;
/// let outputs = model.step(&[
///     ("before", vec![true, false].into()),
///     ("after", vec![true].into()),
///     ("factor", vec![3.0f32].into()),
/// ])?;
/// assert_eq!(outputs.get("both")?.value().to_f32(), [3.0, 0.0]);
/// # Ok::<(), spark::Error>(())
/// ```
#[proc_macro_attribute]
pub fn ports(attributes: TokenStream, item: TokenStream) -> TokenStream {
    ports::expand(attributes.into(), item.into()).into()
}

/// Lets a helper function, or all functions of an `impl` block, work on traced values.
///
/// Comparisons, `&&`, `||` and `if` accept traced values as well as host values. A host `bool` runs one arm; a traced `Bool` runs
/// both and selects, element by element, each variable or field assigned in an arm and the value of the `if`.
///
/// ```
/// use spark::prelude::*;
///
/// #[spark::traced]
/// fn rectify(x: Real) -> Real {
///     if x > 0.0 { x } else { 0.0 }
/// }
///
/// let low = spark::eager(|| rectify(Real::from(-2.0)).known())?;
/// assert_eq!(low.unwrap().to_f32(), [0.0]);
/// # Ok::<(), spark::Error>(())
/// ```
#[proc_macro_attribute]
pub fn traced(attributes: TokenStream, item: TokenStream) -> TokenStream {
    rewrite::expand(attributes.into(), item.into()).into()
}

/// Makes a function a check that `#[param(check = ..)]` can name by its path.
///
/// The function is a `fn(f64) -> bool` and sees one number at a time. The key `allowed = ".."` says what it allows, as the
/// continuation of "must"; `name = ".."` is the registered name, else the function's.
///
/// ```
/// use spark::prelude::*;
///
/// #[spark::validator(allowed = "be a whole number")]
/// fn whole(x: f64) -> bool {
///     x.fract() == 0.0
/// }
///
/// #[spark::config]
/// struct CountingConfig {
///     #[param(default = 3.0, check = [positive, whole])]
///     size: Param,
/// }
///
/// let error = CountingConfig::default().with_size(2.5).validate().unwrap_err();
/// assert_eq!(error.to_string(), "size: must be a whole number, found 2.5");
/// # Ok::<(), spark::Error>(())
/// ```
#[proc_macro_attribute]
pub fn validator(attributes: TokenStream, item: TokenStream) -> TokenStream {
    validator::expand(attributes.into(), item.into()).into()
}
