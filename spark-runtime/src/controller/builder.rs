//! Controllers from code: modules, inputs, outputs and connections by name.
//!
//! A builder only collects; [`ControllerBuilder::build`] looks every name up at once, so modules may be named before they are
//! added, and all mistakes are reported together, each with the line that made it, the valid names and the nearest.

use super::blueprint::Blueprint;
use super::brain::{Brain, BrainConfig};
use super::endpoint::{IntoModule, IntoSources, ModuleHandle, Source, Target};
use super::lookup::Lookup;
use super::neuron::{Neuron, NeuronConfig};
use super::parts::Parts;
use super::wiring::ModuleSpecs;
use crate::config::{Config, Units};
use crate::error::{Error, Result};
use crate::model::{Model, ModelBuilder};
use crate::spec::PortSpecs;
use spark_compiler::ir::Location;

/// The configuration of a controller: what a [`ControllerBuilder`] makes.
pub trait ControllerConfig: Config {
    /// Properties of the controller itself.
    #[doc(hidden)]
    fn own_properties() -> &'static [PortSpecs];
    /// Its modules, resolved.
    #[doc(hidden)]
    fn parts(&self) -> Parts;
    /// Its modules.
    #[doc(hidden)]
    fn modules_mut(&mut self) -> &mut Vec<ModuleSpecs>;
    /// Sets its seed.
    #[doc(hidden)]
    fn set_seed(&mut self, seed: u32);
    /// Sets its time step.
    #[doc(hidden)]
    fn set_dt(&mut self, dt: f64);
}

impl ControllerConfig for BrainConfig {
    fn own_properties() -> &'static [PortSpecs] {
        &[]
    }

    fn parts(&self) -> Parts {
        Parts::of(&self.modules_specs, &self.inherited())
    }

    fn modules_mut(&mut self) -> &mut Vec<ModuleSpecs> {
        &mut self.modules_specs
    }

    fn set_seed(&mut self, seed: u32) {
        self.seed = seed;
    }

    fn set_dt(&mut self, dt: f64) {
        self.dt = dt;
    }
}

impl ControllerConfig for NeuronConfig {
    fn own_properties() -> &'static [PortSpecs] {
        &Neuron::PROPERTIES
    }

    fn parts(&self) -> Parts {
        Parts::of(&self.modules_specs, &self.inherited())
    }

    fn modules_mut(&mut self) -> &mut Vec<ModuleSpecs> {
        &mut self.modules_specs
    }

    fn set_seed(&mut self, seed: u32) {
        self.seed = seed;
    }

    fn set_dt(&mut self, dt: f64) {
        self.dt = dt;
    }
}

/// Wires a [`Brain`]; see [`Brain::builder`].
pub type BrainBuilder = ControllerBuilder<BrainConfig>;
/// Wires a [`Neuron`]; see [`Neuron::builder`].
pub type NeuronBuilder = ControllerBuilder<NeuronConfig>;

/// A connection as it was asked for.
#[derive(Clone, Debug)]
struct Connection {
    sources: Vec<Source>,
    target: Target,
    location: Location,
}

/// Wires a controller from modules, inputs, outputs and connections.
///
/// Ports are named `"module.port"`, inputs of the controller by their own name. Names are looked up by
/// [`build`](ControllerBuilder::build), so their order does not matter, except that a brain's modules run, and sources of
/// one port are joined, in the order given.
#[derive(Clone, Debug)]
pub struct ControllerBuilder<C> {
    config: C,
    inputs: Vec<(String, Location)>,
    outputs: Vec<(String, Source, Location)>,
    connections: Vec<Connection>,
    effects: Vec<Connection>,
    errors: Vec<Error>,
}

impl Brain {
    /// Starts a brain without modules.
    ///
    /// ```
    /// use spark::config::ConfigTree;
    /// use spark::prelude::*;
    ///
    /// // Two pools that drive each other, one of them driven by a signal, too.
    /// let pool = |seed: u32| ConfigTree::new("LIFNeuronConfig").with("units", [20]).with("seed", seed);
    /// let brain = Brain::builder()
    ///     .input("signal")
    ///     .module("spiker", PoissonSpikerConfig::default().with_max_freq(200.0))
    ///     .module("first", pool(1))
    ///     .module("second", pool(2))
    ///     .connect("signal", "spiker.signal")
    ///     .connect(["spiker.spikes", "second.out_spikes"], "first.in_spikes")
    ///     .connect("first.out_spikes", "second.in_spikes")
    ///     .output("spikes", "second.out_spikes")
    ///     .build()?;
    ///
    /// let mut model = Model::component(brain).input("signal", [10]).build()?;
    /// let outputs = model.run(5, &[("signal", vec![0.8f32; 10].into())])?;
    /// assert_eq!(outputs.spikes("spikes")?.len(), 20);
    /// # Ok::<(), spark::Error>(())
    /// ```
    ///
    /// Mistakes are reported all at once, with the line that made them:
    ///
    /// ```
    /// use spark::prelude::*;
    ///
    /// let wrong = Brain::builder()
    ///     .input("signal")
    ///     .module("spiker", PoissonSpikerConfig::default())
    ///     .connect("signal", "spiker.signals")
    ///     .output("spikes", "spicker.spikes")
    ///     .build();
    /// let message = wrong.unwrap_err().to_string();
    /// assert!(message.contains("did you mean `signal`?"));
    /// assert!(message.contains("there is no module `spicker`") && message.contains("did you mean `spiker`?"));
    /// # Ok::<(), spark::Error>(())
    /// ```
    pub fn builder() -> BrainBuilder {
        ControllerBuilder::of(BrainConfig::new(Vec::new()))
    }
}

impl Neuron {
    /// Starts a neuron without modules: a population of shape `units`.
    ///
    /// ```
    /// use spark::prelude::*;
    ///
    /// let neuron = Neuron::builder([30])
    ///     .input("in_spikes")
    ///     .module("synapses", LinearSynapsesConfig::new([30]).with_kernel(300.0))
    ///     .module("soma", LeakySomaConfig::default())
    ///     .connect("in_spikes", "synapses.spikes")
    ///     .connect("synapses.currents", "soma.current")
    ///     .connect("inhibition_mask", "soma.inhibition_mask")
    ///     .output("out_spikes", "soma.spikes")
    ///     .build()?;
    /// let mut model = Model::component(neuron).input("in_spikes", [50]).build()?;
    /// assert_eq!(model.step(&[("in_spikes", vec![true; 50].into())])?.spikes("out_spikes")?.len(), 30);
    /// # Ok::<(), spark::Error>(())
    /// ```
    pub fn builder(units: impl Into<Units>) -> NeuronBuilder {
        ControllerBuilder::of(NeuronConfig::new(units, Vec::new()))
    }
}

impl ControllerBuilder<NeuronConfig> {
    /// Sets the share of inhibitory neurons; 0.2 without it.
    pub fn inhibitory_rate(&mut self, rate: f64) -> &mut Self {
        self.config.inhibitory_rate = rate;
        self
    }
}

impl<C: ControllerConfig> ControllerBuilder<C> {
    fn of(config: C) -> ControllerBuilder<C> {
        ControllerBuilder {
            config,
            inputs: Vec::new(),
            outputs: Vec::new(),
            connections: Vec::new(),
            effects: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Sets the seed of modules that have none of their own (and of a neuron's inhibition mask); 0 without it.
    pub fn seed(&mut self, seed: u32) -> &mut Self {
        self.config.set_seed(seed);
        self
    }

    /// Sets the time step, in ms, of everything inside; 1 ms without it.
    pub fn dt(&mut self, dt: f64) -> &mut Self {
        self.config.set_dt(dt);
        self
    }

    /// Declares an input of the controller.
    #[track_caller]
    pub fn input(&mut self, name: impl Into<String>) -> &mut Self {
        self.inputs.push((name.into(), Location::caller()));
        self
    }

    /// Adds a module. A typed configuration of seed 0 (the default) gets a seed of its own from that of the controller.
    #[track_caller]
    pub fn module(&mut self, name: impl Into<String>, config: impl IntoModule) -> &mut Self {
        self.add(name, config);
        self
    }

    /// Adds a module and gives a handle that names its ports.
    ///
    /// ```
    /// use spark::prelude::*;
    ///
    /// let mut brain = Brain::builder();
    /// let spiker = brain.add("spiker", "PoissonSpiker");
    /// let integrator = brain.add("integrator", ExponentialIntegratorConfig::new(2usize));
    /// brain.input("signal").connect("signal", spiker.input("signal"));
    /// brain.connect(spiker.output("spikes"), integrator.input("spikes"));
    /// brain.output("action", integrator.output("signal"));
    /// assert_eq!(brain.build()?.modules_specs.len(), 2);
    /// # Ok::<(), spark::Error>(())
    /// ```
    #[track_caller]
    pub fn add(&mut self, name: impl Into<String>, config: impl IntoModule) -> ModuleHandle {
        let name = name.into();
        match config.into_module() {
            Ok((class, config)) => {
                let specs = ModuleSpecs { config, ..ModuleSpecs::new(&name, class) };
                self.config.modules_mut().push(specs);
            }
            Err(error) => self.errors.push(error.prefixed(&name).location(Location::caller())),
        }
        ModuleHandle(name)
    }

    /// Adds modules whose connections are made already.
    pub fn modules(&mut self, modules: impl IntoIterator<Item = ModuleSpecs>) -> &mut Self {
        self.config.modules_mut().extend(modules);
        self
    }

    /// Connects a source, or several that are joined in the order given, to a module's input. An input that is connected
    /// already gets further sources.
    ///
    /// A source is an input of the controller, a module's output, or a module's property; `"inhibition_mask"` is that of the
    /// neuron itself.
    #[track_caller]
    pub fn connect(&mut self, from: impl IntoSources, to: impl Into<Target>) -> &mut Self {
        let (sources, target, location) = (from.into_sources(), to.into(), Location::caller());
        self.connections.push(Connection { sources, target, location });
        self
    }

    /// Sets a module's property from a source at the end of each step.
    ///
    /// ```
    /// use spark::prelude::*;
    ///
    /// let neuron = Neuron::builder([4])
    ///     .input("in_spikes")
    ///     .module("synapses", LinearSynapsesConfig::new([4]))
    ///     .module("soma", LeakySomaConfig::default())
    ///     .module("rule", HebbianRuleConfig::default())
    ///     .connect("in_spikes", "synapses.spikes")
    ///     .connect("synapses.currents", "soma.current")
    ///     .connect("in_spikes", "rule.pre_spikes")
    ///     .connect("soma.spikes", "rule.post_spikes")
    ///     .connect("synapses.kernel", "rule.kernel")
    ///     .effect("rule.kernel", "synapses.kernel")
    ///     .output("out_spikes", "soma.spikes")
    ///     .build()?;
    /// assert_eq!(neuron.modules_specs[0].effects.len(), 1);
    /// # Ok::<(), spark::Error>(())
    /// ```
    #[track_caller]
    pub fn effect(&mut self, from: impl Into<Source>, to: impl Into<Target>) -> &mut Self {
        let (sources, target, location) = (vec![from.into()], to.into(), Location::caller());
        self.effects.push(Connection { sources, target, location });
        self
    }

    /// Makes a module's output or property the controller's output `name`.
    #[track_caller]
    pub fn output(&mut self, name: impl Into<String>, from: impl Into<Source>) -> &mut Self {
        self.outputs.push((name.into(), from.into(), Location::caller()));
        self
    }

    /// The configuration.
    ///
    /// # Errors
    /// If names are unknown or given twice, kinds of ports do not match, a required input has no source, or a module's
    /// parameters are wrong; every mistake at once.
    pub fn build(&self) -> Result<C> {
        let mut config = self.config.clone();
        let parts = config.parts();
        let modules = config.modules_mut();
        let mut lookup = Lookup::new(&parts, C::own_properties(), self.inputs.iter().map(|(name, _)| name.as_str()));
        let mut errors = self.errors.clone();
        for (i, (name, location)) in self.inputs.iter().enumerate() {
            if self.inputs[..i].iter().any(|(other, _)| other == name) {
                errors.push(Error::new(format!("the input `{name}` is declared twice")).location(*location));
            }
        }
        for (list, is_effect) in [(&self.connections, false), (&self.effects, true)] {
            for connection in list {
                let made = lookup.connect(modules, &connection.sources, &connection.target, is_effect);
                errors.extend(made.err().map(|error| error.location(connection.location)));
            }
        }
        for (name, source, location) in &self.outputs {
            errors.extend(lookup.output(modules, name, source).err().map(|error| error.location(*location)));
        }
        if errors.is_empty() {
            for (name, location) in &self.inputs {
                if !lookup.used.contains_key(name) {
                    let error = Error::new(format!("nothing reads the input `{name}`")).location(*location);
                    errors.push(error.help("connect it to a module's input, or remove it"));
                }
            }
            errors.extend(lookup.unconnected(modules));
        }
        if let Err(error) = Blueprint::new(config.to_tree()) {
            errors.push(error);
        }
        if errors.is_empty() { Ok(config) } else { Err(Error::many(errors)) }
    }

    /// A model of the configuration, to be given the shapes of its inputs.
    ///
    /// # Errors
    /// As [`ControllerBuilder::build`].
    pub fn model(&self) -> Result<ModelBuilder> {
        self.build().map(Model::component)
    }
}
