//! The structure of a model as an indented tree: modules, ports, connections and parameters.

use spark::error::Result;
use spark::model::Blueprint;

/// Structure and parameters of a model as an indented tree.
///
/// # Errors
/// If a module's type is not registered.
pub(super) fn text(blueprint: &Blueprint) -> Result<String> {
    Ok(blueprint.inspect()?.to_string())
}

pub(super) fn dims_text(dims: &[usize]) -> String {
    dims.iter().map(ToString::to_string).collect::<Vec<_>>().join("x")
}
