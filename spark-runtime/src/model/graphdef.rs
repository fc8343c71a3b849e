//! What a model is made from, apart from what it remembers: [`split`] and [`merge`].

use super::{InputShape, Model, ModelBuilder};
use crate::config::{ConfigTree, ConfigValue};
use crate::controller::{neurons_of, register};
use crate::error::Result;
use crate::registry::{Registry, snake_case};
use crate::state::State;
use indexmap::IndexMap;
use spark_compiler::ir::DType;
use spark_compiler::passes::CompileOptions;

/// What a model is made from: configuration, shapes of inputs, what is recorded, and how numbers round. The neurons
/// registered by the user that the configuration names are part of it.
///
/// It is enough to build the same program again, anywhere: seeds make the constants that are drawn (delays, inhibition masks)
/// the same ones. Whether the model runs compiled or eager is not part of it; both give the same bits.
#[derive(Clone, Debug)]
pub struct GraphDef {
    pub(crate) config: ConfigTree,
    pub(crate) neurons: Vec<(String, ConfigTree)>,
    pub(crate) inputs: IndexMap<String, InputShape>,
    pub(crate) record: Vec<String>,
    pub(crate) dtype: Option<DType>,
    pub(crate) contract: bool,
    pub(crate) options: CompileOptions,
}

/// A model as what it is made from and what it remembers.
///
/// ```
/// use spark::model::{merge, split};
/// use spark::prelude::*;
///
/// let mut model = Model::component(LeakySomaConfig::default()).input("current", [2]).build()?;
/// let current = [("current", vec![300.0f32, 400.0].into())];
/// model.run(50, &current)?;
/// let (graphdef, state) = split(&model);
/// let mut twin = merge(&graphdef, &state)?;
/// assert_eq!(twin.step(&current)?.spikes("spikes")?, model.step(&current)?.spikes("spikes")?);
/// assert_eq!(twin.save_state(), model.save_state());
/// # Ok::<(), spark::Error>(())
/// ```
pub fn split(model: &Model) -> (GraphDef, State) {
    (model.graphdef().clone(), model.save_state())
}

/// The model of a [`GraphDef`] in the state `state`, compiled. [`GraphDef::builder`] builds it otherwise.
///
/// # Errors
/// If the model cannot be built, or the state is not one of it; every array that does not fit is named.
pub fn merge(graphdef: &GraphDef, state: &State) -> Result<Model> {
    let mut model = graphdef.builder().build()?;
    model.load_state(state)?;
    Ok(model)
}

impl Model {
    /// What it was made from.
    pub fn graphdef(&self) -> &GraphDef {
        &self.graphdef
    }
}

impl GraphDef {
    /// A configuration without inputs.
    pub(super) fn of(config: ConfigTree) -> GraphDef {
        GraphDef {
            config,
            neurons: Vec::new(),
            inputs: IndexMap::new(),
            record: Vec::new(),
            dtype: None,
            contract: true,
            options: CompileOptions::default(),
        }
    }

    /// Adds what a file must say that will be read elsewhere: registered neurons, and the values of fields for which a file
    /// that lacks them would mean something else.
    pub(super) fn complete(&mut self) {
        if self.neurons.is_empty() {
            self.neurons = neurons_of(&self.config);
        }
        pin_tree(&mut self.config);
        self.neurons.iter_mut().for_each(|(_, tree)| pin_values(&mut tree.values));
    }

    /// A builder of this model, to choose how it runs or what is recorded.
    pub fn builder(&self) -> ModelBuilder {
        ModelBuilder::new(self.clone())
    }

    /// The configuration.
    pub fn config(&self) -> &ConfigTree {
        &self.config
    }

    /// Names and configurations of the user's neurons that the configuration uses: each after those it uses itself.
    pub fn neurons(&self) -> &[(String, ConfigTree)] {
        &self.neurons
    }

    /// Registers these neurons in the program, for other models to use; [`GraphDef::builder`] does not need that.
    ///
    /// # Errors
    /// As [`register_neuron`](crate::controller::register_neuron).
    pub fn register_neurons(&self) -> Result<()> {
        self.neurons.iter().try_for_each(|(name, tree)| register(name, tree.clone()))
    }

    /// The inputs and their shapes.
    pub fn inputs(&self) -> &IndexMap<String, InputShape> {
        &self.inputs
    }

    /// Ports and properties of modules inside that are outputs of the model.
    pub fn record(&self) -> &[String] {
        &self.record
    }

    /// The storage type that replaces those of the configuration.
    pub fn dtype(&self) -> Option<DType> {
        self.dtype
    }

    /// Whether a·b + c is rounded once ([`ModelBuilder::contract`]).
    pub fn contract(&self) -> bool {
        self.contract
    }

    /// The passes of the compiler ([`ModelBuilder::options`]).
    pub fn options(&self) -> CompileOptions {
        self.options
    }
}

/// Equal if they build the same program: notes of editors, the case of type names and the passes do not matter.
impl PartialEq for GraphDef {
    fn eq(&self, other: &GraphDef) -> bool {
        let GraphDef { config, neurons, inputs, record, dtype, contract, options: _ } = self;
        let same_neurons = |((a, left), (b, right)): (&(String, ConfigTree), &(String, ConfigTree))| {
            snake_case(a) == snake_case(b) && same_values(&left.values, &right.values)
        };
        same_tree(config, &other.config)
            && neurons.len() == other.neurons.len()
            && neurons.iter().zip(&other.neurons).all(same_neurons)
            && (inputs, record, dtype, contract) == (&other.inputs, &other.record, &other.dtype, &other.contract)
    }
}

/// Names Spark's files give to notes.
fn is_note(name: &str) -> bool {
    name.starts_with("__")
}

fn same_tree(a: &ConfigTree, b: &ConfigTree) -> bool {
    snake_case(&a.type_name) == snake_case(&b.type_name) && same_values(&a.values, &b.values)
}

fn same_values(a: &IndexMap<String, ConfigValue>, b: &IndexMap<String, ConfigValue>) -> bool {
    let count = |values: &IndexMap<String, ConfigValue>| values.keys().filter(|name| !is_note(name)).count();
    let mut fields = a.iter().filter(|(name, _)| !is_note(name));
    count(a) == count(b) && fields.all(|(name, value)| b.get(name).is_some_and(|other| same_value(value, other)))
}

fn same_value(a: &ConfigValue, b: &ConfigValue) -> bool {
    match (a, b) {
        (ConfigValue::Config(a), ConfigValue::Config(b)) => same_tree(a, b),
        (ConfigValue::Map(a), ConfigValue::Map(b)) => same_values(a, b),
        (ConfigValue::Object { type_name: a, fields: x }, ConfigValue::Object { type_name: b, fields: y }) => {
            a == b && same_values(x, y)
        }
        (ConfigValue::List(a), ConfigValue::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b))
        }
        (ConfigValue::Array(a), ConfigValue::Array(b)) => a.dims() == b.dims() && a.data().same_bits(b.data()),
        (a, b) => a == b,
    }
}

/// Gives fields their values that a file of the Python Spark leaves out with another meaning than Spark: once written, a
/// configuration cannot be told from one of those files.
fn pin_tree(tree: &mut ConfigTree) {
    if !tree.values.contains_key("__config_delimiter__") {
        let spec = Registry::global().ok().and_then(|registry| registry.configs.find(&tree.type_name));
        for field in spec.into_iter().flat_map(|spec| spec.fields).filter(|field| field.python_default.is_some()) {
            let given =
                [Some(field.name), field.alias].into_iter().flatten().any(|name| tree.values.contains_key(name));
            if let (false, Some(default)) = (given, field.default) {
                tree.values.insert(field.name.into(), default());
            }
        }
    }
    pin_values(&mut tree.values);
}

fn pin_values(values: &mut IndexMap<String, ConfigValue>) {
    values.values_mut().for_each(pin_value);
}

fn pin_value(value: &mut ConfigValue) {
    match value {
        ConfigValue::Config(tree) => pin_tree(tree),
        ConfigValue::List(items) => items.iter_mut().for_each(pin_value),
        ConfigValue::Object { fields, .. } | ConfigValue::Map(fields) => pin_values(fields),
        ConfigValue::Null
        | ConfigValue::Bool(_)
        | ConfigValue::Int(_)
        | ConfigValue::Float(_)
        | ConfigValue::Text(_)
        | ConfigValue::DType(_)
        | ConfigValue::Array(_)
        | ConfigValue::Class { .. } => {}
    }
}
