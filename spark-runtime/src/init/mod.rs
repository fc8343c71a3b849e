//! Initializers: how a parameter is drawn when a module is built.
//!
//! An initializer is a configuration ([`Config`]) that also knows how to draw ([`Initializer`]). The draws of those that
//! the Python Spark has are its own, bit for bit: the same key gives the same numbers, computed in single precision and
//! then stored in the dtype asked for (their `dtype` field is kept for files and has no effect). To add one, write its
//! configuration with `#[spark::initializer]` and implement [`Initializer`]; the attribute's documentation has an example.
//!
//! | initializer | draws |
//! |---|---|
//! | [`Constant`] | nothing: the same number everywhere |
//! | [`Uniform`] | uniform numbers |
//! | [`SparseUniform`] | uniform numbers, most of them zero |
//! | [`NormalizedSparseUniform`] | the same with a given sum for each group |
//! | [`Normal`] | numbers of a normal distribution |
//! | [`LogNormal`] | positive numbers whose logarithm is normal |
//! | [`FixedIndegree`] | weights of a fixed number of inputs per neuron, zero elsewhere |

mod constant;
mod fixed_indegree;
mod limits;
mod log_normal;
mod normal;
mod normalized_sparse_uniform;
mod partial_sums;
mod sparse_uniform;
mod uniform;

pub use constant::Constant;
pub use fixed_indegree::FixedIndegree;
pub use limits::LimitsConfig;
pub use log_normal::LogNormal;
pub use normal::Normal;
pub use normalized_sparse_uniform::NormalizedSparseUniform;
pub use sparse_uniform::SparseUniform;
pub use uniform::Uniform;

use crate::config::{Config, ConfigSpec, ConfigTree, ConfigValue, Param};
use crate::error::{Error, Result};
use crate::registry::{Registry, snake_case};
use crate::rng::Key;
use spark_compiler::ir::{Array, Axis, DType, Data, Shape};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// What a module demands of an initializer, over the configuration's own fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InitOverrides {
    /// Replaces `scale`.
    pub scale: Option<f64>,
    /// Replaces `min_value`.
    pub min_value: Option<f64>,
    /// Replaces `norm_axes`.
    pub norm_axes: Option<Vec<usize>>,
}

impl InitOverrides {
    /// These demands without what the initializer in `param` was given itself: a `scale` that is not its default, always the
    /// number of a [`Constant`], and a `min_value`.
    ///
    /// ```
    /// use spark::prelude::*;
    ///
    /// let demands = InitOverrides { scale: Some(9.0), ..Default::default() };
    /// assert_eq!(demands.clone().unless_given(&Uniform::default().with_scale(3.0).into()).scale, None);
    /// assert_eq!(demands.unless_given(&Uniform::default().into()).scale, Some(9.0));
    /// ```
    pub fn unless_given(mut self, param: &Param) -> InitOverrides {
        let Param::Initializer(initializer) = param else { return self };
        let tree = initializer.to_tree();
        let default = initializer.spec().and_then(|spec| (spec.config)().field("scale")?.default).map(|make| make());
        if initializer.downcast::<Constant>().is_some() || tree.get("scale").cloned() != default {
            self.scale = None;
        }
        if tree.get("min_value").is_some_and(|least| *least != ConfigValue::Null) {
            self.min_value = None;
        }
        self
    }
}

/// The registered name of an initializer; written by `#[spark::initializer]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an initializer",
    note = "annotate its struct with #[spark::initializer]"
)]
pub trait InitializerType: Config {
    /// Registered name, `UniformInitializer` for example.
    const NAME: &'static str;
}

/// A configuration that draws arrays.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an initializer: nothing says how it draws",
    label = "no `impl Initializer`",
    note = "an initializer is a struct with #[spark::initializer] and an `impl Initializer` with `fn init(..) -> Result<Array>`"
)]
pub trait Initializer: InitializerType {
    /// Draws an array of dimensions `shape`, stored as `dtype`. A number that does not fit the type is an error, never the nearest one
    /// that does: whoever asks may ask for a small type first, and for a larger one then.
    ///
    /// # Errors
    /// If the configuration cannot draw this shape or dtype.
    fn init(&self, key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array>;
}

/// A registered type of initializer.
#[derive(Debug)]
pub struct InitializerSpec {
    /// Registered name.
    pub name: &'static str,
    /// Description of its configuration.
    pub config: fn() -> &'static ConfigSpec,
    /// Reads its configuration.
    pub read: fn(&ConfigTree) -> Result<AnyInitializer>,
}

impl InitializerSpec {
    /// The description of `I`, for [`crate::registry::Registered::Initializer`].
    pub fn of<I: Initializer>() -> &'static InitializerSpec {
        struct Of<I>(std::marker::PhantomData<I>);
        impl<I: Initializer> Of<I> {
            const SPEC: &'static InitializerSpec = &InitializerSpec {
                name: I::NAME,
                config: I::spec,
                read: |tree| I::from_tree(tree).map(AnyInitializer::new),
            };
        }
        Of::<I>::SPEC
    }
}

/// An initializer of any type.
#[derive(Clone)]
pub struct AnyInitializer(Arc<dyn Erased>);

impl AnyInitializer {
    /// Forgets the type of an initializer.
    pub fn new(initializer: impl Initializer) -> AnyInitializer {
        AnyInitializer(Arc::new(initializer))
    }

    /// Reads the configuration of any registered initializer.
    ///
    /// # Errors
    /// If no initializer with such a configuration is registered, or the configuration is wrong.
    pub fn from_tree(tree: &ConfigTree) -> Result<AnyInitializer> {
        let initializers = &Registry::global()?.initializers;
        let wanted = snake_case(&tree.type_name);
        let named = |spec: &&'static InitializerSpec| {
            snake_case((spec.config)().name) == wanted || snake_case(spec.name) == wanted
        };
        match initializers.iter().find(named) {
            // The initializer's own name stands for its configuration's.
            Some(spec) => (spec.read)(&ConfigTree { type_name: String::new(), values: tree.values.clone() }),
            None => {
                let known: Vec<String> = initializers.iter().map(|spec| snake_case((spec.config)().name)).collect();
                let help = crate::error::unknown_name_help(&wanted, known.iter().map(String::as_str));
                Err(Error::new(format!("`{}` is not an initializer", tree.type_name)).help(help))
            }
        }
    }

    /// Registered name.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    fn spec(&self) -> Option<&'static InitializerSpec> {
        Registry::global().ok()?.initializers.iter().find(|spec| spec.name == self.name())
    }

    /// Its configuration, untyped.
    pub fn to_tree(&self) -> ConfigTree {
        self.0.tree()
    }

    /// The initializer, if it is of type `I`.
    pub fn downcast<I: Initializer>(&self) -> Option<&I> {
        self.0.any().downcast_ref()
    }

    /// Draws as [`Initializer::init`] does.
    ///
    /// # Errors
    /// If the configuration cannot draw this shape or dtype.
    pub fn init(&self, key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array> {
        self.0.draw(key, shape, dtype, overrides)
    }
}

impl PartialEq for AnyInitializer {
    fn eq(&self, other: &AnyInitializer) -> bool {
        self.0.same(other.0.any())
    }
}

impl fmt::Debug for AnyInitializer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// [`Initializer`] without its associated items, so that it can be a trait object.
trait Erased: fmt::Debug + Send + Sync {
    fn name(&self) -> &'static str;
    fn tree(&self) -> ConfigTree;
    fn any(&self) -> &dyn Any;
    fn same(&self, other: &dyn Any) -> bool;
    fn draw(&self, key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array>;
}

impl<I: Initializer> Erased for I {
    fn name(&self) -> &'static str {
        I::NAME
    }

    fn tree(&self) -> ConfigTree {
        self.to_tree()
    }

    fn any(&self) -> &dyn Any {
        self
    }

    fn same(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<I>().is_some_and(|other| self == other)
    }

    fn draw(&self, key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array> {
        self.init(key, shape, dtype, overrides)
    }
}

/// Number of elements of the dimensions `shape`.
///
/// # Errors
/// If it is too large to count.
pub fn size(shape: &[usize]) -> Result<usize> {
    let size = shape.iter().try_fold(1usize, |n, &dim| n.checked_mul(dim));
    size.ok_or_else(|| Error::new(format!("an array of dimensions {shape:?} is too large")))
}

/// Checks that `axes` are different axes of an array of dimensions `shape`.
fn check_axes(axes: &[usize], shape: &[usize]) -> Result<()> {
    let rank = shape.len();
    if let Some(axis) = axes.iter().find(|&&axis| axis >= rank) {
        return Err(Error::new(format!("must be below {rank}, the number of dimensions, found {axis}")));
    }
    match axes.iter().enumerate().find_map(|(i, axis)| axes[..i].contains(axis).then_some(axis)) {
        Some(axis) => Err(Error::new(format!("must not repeat an axis, found {axis} twice"))),
        None => Ok(()),
    }
}

/// Drawn numbers as an array of dimensions `shape`, stored as `dtype`. Integers truncate; a number that an integer dtype
/// cannot hold is refused, not wrapped as in the Python Spark.
///
/// # Errors
/// If a number does not fit `dtype`, or there are more or fewer than the array has elements.
pub fn stored(values: Data, shape: &[usize], dtype: DType) -> Result<Array> {
    fits(&values, dtype)?;
    let shape = if shape.is_empty() { Shape::scalar() } else { Shape::of(Axis::anonymous(0), shape) };
    Array::new(shape, values.into_dtype(dtype)).map_err(|e| Error::new(e.to_string()))
}

/// Checks that `dtype` can hold numbers, as [`stored`] does.
fn fits(values: &Data, dtype: DType) -> Result<()> {
    let (low, high) = match dtype {
        DType::U8 => (0.0, 256.0),
        DType::U16 => (0.0, 65_536.0),
        DType::I32 => (-2_147_483_648.0, 2_147_483_648.0),
        DType::F16 | DType::BF16 | DType::F32 | DType::F64 | DType::Bool => return Ok(()),
    };
    if values.dtype() == dtype {
        return Ok(());
    }
    let wrong = |value: f64| value.trunc() < low || value.trunc() >= high;
    // Nearly always none is: the many numbers of large arrays are looked at all at once first.
    let least = if low == 0.0 { -1.0 } else { low as f32 };
    let suspicious = match values {
        Data::F32(values) => values.iter().fold(false, |any, &value| any | (value <= least) | (value >= high as f32)),
        _ => true,
    };
    if !suspicious {
        return Ok(());
    }
    match (0..values.len()).map(|i| values.get_f64(i)).find(|&value| wrong(value)) {
        Some(value) => Err(Error::new(format!("drew {value}, which does not fit {dtype}")).help("use a wider dtype")),
        None => Ok(()),
    }
}
