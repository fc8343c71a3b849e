//! What is known of a configuration's fields: for the editor, and for whoever shows parameters.

use super::layout::{Layout, Node};
use super::merge::each_inside;
use super::spec::FieldSpec;
use super::value::{ConfigTree, ConfigValue};
use spark_compiler::ir::DType;

/// A configuration's fields, and those of what is inside.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigMetadata {
    /// Name of the configuration's type.
    pub type_name: String,
    /// What it describes.
    pub description: String,
    /// Its fields, in order.
    pub fields: Vec<FieldMetadata>,
    /// The modules of a controller, by name.
    pub modules: Vec<(String, ConfigMetadata)>,
}

/// One field of a configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldMetadata {
    /// Its name.
    pub name: String,
    /// Another name accepted when reading.
    pub alias: Option<&'static str>,
    /// Its type, `Param` or `Option<f64>`.
    pub type_name: String,
    /// Unit of its number or numbers.
    pub units: Option<&'static str>,
    /// What it means.
    pub description: String,
    /// Names of the checks its numbers must pass.
    pub validators: Vec<&'static str>,
    /// What these allow, as the continuations of "must": `be positive`.
    pub allowed: Vec<&'static str>,
    /// The values it can have, where they are few: names of storage types.
    pub value_options: Vec<&'static str>,
    /// It can be drawn by an initializer when the module is built.
    pub allows_init: bool,
    /// A value must be given.
    pub required: bool,
    /// What it is if it is not given.
    pub default: Option<ConfigValue>,
    /// What is given.
    pub value: Option<ConfigValue>,
    /// The fields of its value, if that is a configuration.
    pub nested: Option<ConfigMetadata>,
}

impl ConfigMetadata {
    /// The field at a dotted path: `soma.potential_tau`, `synapses.kernel.scale`.
    pub fn field(&self, path: &str) -> Option<&FieldMetadata> {
        if let Some(field) = self.fields.iter().find(|field| field.name == path) {
            return Some(field);
        }
        let (name, rest) = path.split_once('.')?;
        let module = self.modules.iter().find(|(module, _)| module == name).map(|(_, module)| module);
        let nested = || self.fields.iter().find(|field| field.name == name)?.nested.as_ref();
        module.or_else(nested)?.field(rest)
    }
}

impl FieldMetadata {
    fn of(spec: &FieldSpec, layout: &Layout, node: &Node<'_>) -> FieldMetadata {
        let value = layout.key(spec.name, node.values).and_then(|key| node.values.get(&key).cloned());
        let default = layout.default(spec, node.values);
        let is = |name: &str| spec.type_name == name || spec.type_name == format!("Option<{name}>");
        let floats = || DType::ALL.into_iter().filter(|dtype| dtype.is_float()).map(DType::long_name).collect();
        FieldMetadata {
            name: spec.name.into(),
            alias: spec.alias,
            type_name: spec.type_name.into(),
            units: spec.units,
            description: spec.description.into(),
            validators: spec.checks.iter().map(|check| check.name).collect(),
            allowed: spec.checks.iter().map(|check| check.allowed).collect(),
            value_options: if is("DType") { floats() } else { Vec::new() },
            allows_init: is("Param"),
            required: default.is_none(),
            default,
            value,
            nested: None,
        }
    }
}

impl ConfigTree {
    /// What is known of every field, here and inside.
    ///
    /// ```
    /// use spark::config::ConfigTree;
    ///
    /// let metadata = ConfigTree::new("LIFNeuronConfig").get_metadata();
    /// let tau = metadata.field("soma.potential_tau").unwrap();
    /// assert_eq!((tau.units, tau.allows_init), (Some("ms"), true));
    /// assert_eq!(tau.validators, ["positive"]);
    /// assert!(metadata.field("units").unwrap().required);
    /// ```
    pub fn get_metadata(&self) -> ConfigMetadata {
        let mut tree = self.clone();
        of_node(&mut Node::root(&mut tree), &self.type_name)
    }
}

fn of_node(node: &mut Node<'_>, type_name: &str) -> ConfigMetadata {
    let layout = node.layout.clone();
    let mut fields: Vec<FieldMetadata> =
        layout.fields.iter().map(|spec| FieldMetadata::of(spec, &layout, node)).collect();
    let mut modules = Vec::new();
    each_inside(node, &mut |name, inside| {
        let inner = of_node(inside, "");
        match fields.iter_mut().find(|field| field.name == name) {
            Some(field) => field.nested = Some(inner),
            None => modules.push((name.to_string(), inner)),
        }
        false
    });
    let type_name = if layout.name.is_empty() { type_name.to_string() } else { layout.name };
    ConfigMetadata { type_name, description: layout.description, fields, modules }
}
