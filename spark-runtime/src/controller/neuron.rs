//! The neuron controller: a population's components, run in dependency order within one step.

use super::blueprint::{self, Blueprint, recorded};
use super::children::{self, Children, Exported, Inherited, Sources, Table};
use super::order;
use super::parts::Parts;
use super::wiring::ModuleSpecs;
use crate::build::Holder;
use crate::config::validate::{Validator, checks};
use crate::config::{Config, ConfigErrors, ConfigSpec, ConfigTree, ConfigValue, ConfigValues, FieldSpec, Units};
use crate::error::{Error, Result};
use crate::module::{DynModule, InputInfo, Port, join, trace_errors};
use crate::payload::{BooleanMask, Payload, PayloadType};
use crate::port::Args;
use crate::rng::RngStream;
use crate::spec::PortSpecs;
use indexmap::IndexMap;
use spark_compiler::array::{Bool, budget, tape};
use spark_compiler::ir::{Array, Axis, DType, Data, Elem, Shape};

/// Parameters of a [`Neuron`].
#[derive(Clone, Debug, PartialEq)]
pub struct NeuronConfig {
    /// The population's modules and their connections.
    pub modules_specs: Vec<ModuleSpecs>,
    /// Seed of the inhibition mask.
    pub seed: u32,
    /// Time step, in ms, of the modules, too: it replaces theirs, as in Spark on JAX.
    pub dt: f64,
    /// Shape of the population.
    pub units: Units,
    /// Share of inhibitory neurons.
    pub inhibitory_rate: f64,
}

/// Fields of [`NeuronConfig`]; registered neuron types share them.
pub(crate) static FIELDS: [FieldSpec; 5] = [
    FieldSpec {
        name: "modules_specs",
        alias: None,
        type_name: "Vec<ModuleSpecs>",
        units: None,
        description: "The population's modules and their connections.",
        checks: &[],
        default: None,
        python_default: None,
    },
    FieldSpec {
        name: "seed",
        alias: None,
        type_name: "u32",
        units: None,
        description: "Seed of the inhibition mask.",
        checks: &[],
        default: Some(|| ConfigValue::Int(0)),
        python_default: None,
    },
    FieldSpec {
        name: "dt",
        alias: None,
        type_name: "f64",
        units: Some("ms"),
        description: "Time step.",
        checks: &[checks::positive::SPEC],
        default: Some(|| ConfigValue::Float(1.0)),
        python_default: None,
    },
    FieldSpec {
        name: "units",
        alias: None,
        type_name: "Units",
        units: None,
        description: "Shape of the population.",
        checks: &[],
        default: None,
        python_default: None,
    },
    FieldSpec {
        name: "inhibitory_rate",
        alias: None,
        type_name: "f64",
        units: None,
        description: "Share of inhibitory neurons.",
        checks: &[checks::zero_one::SPEC],
        default: Some(|| ConfigValue::Float(0.2)),
        python_default: None,
    },
];

impl Config for NeuronConfig {
    fn spec() -> &'static ConfigSpec {
        static SPEC: ConfigSpec =
            ConfigSpec { name: "NeuronConfig", description: "A population from parts.", fields: &FIELDS };
        &SPEC
    }

    fn from_values(values: &ConfigValues, errors: &mut ConfigErrors) -> Option<NeuronConfig> {
        let modules_specs = values.read(&FIELDS[0], errors);
        let seed = values.read(&FIELDS[1], errors);
        let dt = values.read(&FIELDS[2], errors);
        let units = values.read(&FIELDS[3], errors);
        let inhibitory_rate = values.read(&FIELDS[4], errors);
        Some(NeuronConfig {
            modules_specs: modules_specs?,
            seed: seed?,
            dt: dt?,
            // What stands in for it lets mistakes inside be found, too.
            units: units.unwrap_or(Units::from(1)),
            inhibitory_rate: inhibitory_rate?,
        })
    }

    fn to_values(&self) -> ConfigValues {
        let mut values = ConfigValues::new(Self::spec());
        values.write("modules_specs", &self.modules_specs);
        values.write("seed", &self.seed);
        values.write("dt", &self.dt);
        values.write("units", &self.units);
        values.write("inhibitory_rate", &self.inhibitory_rate);
        values
    }

    fn seed(&self) -> u32 {
        self.seed
    }

    fn dt(&self) -> f64 {
        self.dt
    }

    /// Checks the wiring and every module's parameters, too.
    fn validate(&self) -> Result<()> {
        self.to_tree().validate()
    }
}

impl NeuronConfig {
    /// A neuron of `units` with these modules.
    pub fn new(units: impl Into<Units>, modules: Vec<ModuleSpecs>) -> NeuronConfig {
        NeuronConfig { modules_specs: modules, seed: 0, dt: 1.0, units: units.into(), inhibitory_rate: 0.2 }
    }

    /// Checks that the wiring makes sense: names, types of modules, ports, effects, no circles.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn check_wiring(&self) -> Result<()> {
        Neuron::execution_order(&Parts::of(&self.modules_specs, &self.inherited())).map(drop)
    }

    /// What its modules have from it.
    pub(super) fn inherited(&self) -> Inherited<'_> {
        Inherited { seed: self.seed, dt: self.dt, units: Some(&self.units), holder: Holder::Neuron }
    }
}

/// A population: modules that run in dependency order within one step.
///
/// Order of a step: inputs → modules, each after those it reads → effects (a rule's new kernel becomes the synapses'
/// kernel) → outputs.
pub struct Neuron {
    type_name: String,
    config: NeuronConfig,
    ports: Vec<Port>,
    children: Children,
    outputs: Vec<Exported>,
    inhibition_mask: Array,
    bound_mask: Option<Bool>,
}

impl Neuron {
    /// Properties of every neuron.
    pub(super) const PROPERTIES: [PortSpecs; 1] = [PortSpecs {
        name: "inhibition_mask",
        payload: BooleanMask::KIND,
        axes: &[Axis::UNITS],
        optional: false,
        variadic: false,
        settable: false,
        description: "True for inhibitory neurons.",
    }];

    /// Builds every module, in execution order, from what its sources give.
    ///
    /// # Errors
    /// If the wiring is ill-formed or modules refuse their configurations; the error names the modules, and has every mistake.
    pub fn build(
        type_name: impl Into<String>,
        config: NeuronConfig,
        inputs: &IndexMap<String, InputInfo>,
    ) -> Result<Neuron> {
        let blueprint = Blueprint::neuron(type_name.into(), config);
        blueprint::complete(|errors| Neuron::attempt(blueprint, inputs, errors))
    }

    /// Builds it as far as that goes: mistakes are recorded. `None` if a module cannot be built, even from what stands in for
    /// wrong parameters.
    pub(super) fn attempt(
        blueprint: Blueprint,
        inputs: &IndexMap<String, InputInfo>,
        errors: &mut Vec<Error>,
    ) -> Option<Neuron> {
        let (ports, dtype) = (blueprint.ports(), blueprint.dtype());
        let Blueprint::Neuron(type_name, config, parts) = blueprint else { return None };
        let order = recorded(Neuron::execution_order(&parts), errors)?;
        recorded(config.units.check().map_err(|e| e.prefixed("units")), errors)?;
        let mut neuron = Neuron {
            type_name,
            inhibition_mask: recorded(inhibition_mask(&config), errors)?,
            ports,
            outputs: recorded(Exported::of(&parts), errors)?,
            children: Children::default(),
            bound_mask: None,
            config,
        };
        // A session that is thrown away: modules are built from the shapes of what the ones before them compute.
        let probe = tape::Session::begin("probe", tape::Mode::Traced, Elem::F32, tape::Memory::default());
        neuron.bind_mask("");
        let call = inputs.iter().map(|(name, info)| (name.clone(), children::placeholder(name, info, dtype))).collect();
        let mut done = Table::new();
        let Neuron { config, children, bound_mask, .. } = &mut neuron;
        for index in order {
            let own = |property: &str| own_property(*bound_mask, property);
            let sources = Sources { call: &call, own: &own, outputs: &done };
            let part = &parts.as_slice()[index];
            let given = children.build(part, config.inherited().holder, &sources, errors);
            done.extend(given.map(|given| (part.specs.name.clone(), given)));
        }
        let complete = children.len() == config.modules_specs.len();
        recorded(probe.finish().map_err(trace_errors), errors)?;
        complete.then_some(neuron)
    }

    /// Checks the wiring; gives the order in which the modules run.
    ///
    /// # Errors
    /// Every mistake at once.
    pub(super) fn execution_order(parts: &Parts) -> Result<Vec<usize>> {
        order::check("neuron", parts, &Neuron::PROPERTIES.map(|p| p.name))?;
        order::execution_order(parts)
    }

    fn bind_mask(&mut self, path: &str) {
        let value = tape::constant(&join(path, "inhibition_mask"), &self.inhibition_mask);
        self.bound_mask = Some(Bool::from_value(value));
    }
}

fn own_property(mask: Option<Bool>, property: &str) -> Option<Payload> {
    if property == "inhibition_mask" { mask.map(|mask| BooleanMask::new(mask).pack()) } else { None }
}

/// A random choice of inhibitory neurons, as Spark draws it: the first ⌊units·rate⌋ of a permutation.
///
/// # Errors
/// If there is no memory for it.
fn inhibition_mask(config: &NeuronConfig) -> Result<Array> {
    let size = config.units.size();
    // Drawing a permutation takes as much as four arrays.
    if !budget::take(size.saturating_mul(4)) {
        let message = format!("an inhibition mask of {size} units does not fit in memory");
        return Err(Error::new(message).at("units").help("use fewer units, or a higher limit of memory"));
    }
    let inhibitory = (size as f64 * config.inhibitory_rate) as usize;
    let mut mask = vec![false; size];
    let key = RngStream::new(config.seed).next_key();
    for index in key.permutation(size).into_iter().take(inhibitory) {
        mask[index] = true;
    }
    Ok(Array::new(Shape::units(&config.units), Data::Bool(mask)).expect("one value per unit"))
}

impl DynModule for Neuron {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn ports(&self) -> Vec<Port> {
        self.ports.clone()
    }

    fn dtype(&self) -> DType {
        self.children.dtype()
    }

    fn bind(&mut self, path: &str) {
        self.bind_mask(path);
        self.children.bind(path);
    }

    fn call(&mut self, mut args: Args) -> Result<Vec<Payload>> {
        let Neuron { ports, children, outputs, bound_mask, .. } = self;
        let call = args.inputs_of(ports)?;
        let own = |property: &str| own_property(*bound_mask, property);
        let mut done = Table::new();
        for index in 0..children.len() {
            let given = children.call(index, &Sources { call: &call, own: &own, outputs: &done })?;
            done.insert(children.name(index).to_string(), given);
        }
        let sources = Sources { call: &call, own: &own, outputs: &done };
        children.apply_effects(&sources)?;
        children.exported(outputs, &sources)
    }

    fn commit(&mut self) {
        self.children.commit();
    }

    fn get(&self, property: &str) -> Option<Payload> {
        own_property(self.bound_mask, property)
    }

    fn set(&mut self, property: &str, _value: Payload) -> Result<()> {
        Err(Error::new(format!("{} has no property `{property}` that can be set", self.type_name)))
    }

    fn read(&self, path: &str) -> Option<Payload> {
        self.children.read(path, &self.outputs).or_else(|| self.get(path))
    }

    fn config(&self) -> ConfigTree {
        ConfigTree { type_name: format!("{}Config", self.type_name), ..self.config.to_tree() }
    }

    fn children(&self) -> Vec<(&str, &dyn DynModule)> {
        self.children.named()
    }
}
