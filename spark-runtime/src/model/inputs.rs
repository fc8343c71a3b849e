//! The shapes of a model's inputs: from host dimensions to axes.

use crate::error::{Error, Result};
use crate::module::InputInfo;
use crate::spec::PortSpecs;
use indexmap::IndexMap;
use spark_compiler::ir::{Array, Axis, DType, Data, MOST_ELEMENTS, Shape};

/// What the host will feed into an input port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputShape {
    /// Host dimensions, without time.
    pub dims: Vec<usize>,
    /// Spikes over synapses: the dimensions are those of the units followed by those of the inputs.
    pub async_spikes: bool,
    /// Dimensions of the inhibition mask, if one will be given.
    pub mask: Option<Vec<usize>>,
}

impl InputShape {
    /// Values of these dimensions, one per neuron or element.
    pub fn new(dims: impl Into<Vec<usize>>) -> InputShape {
        InputShape { dims: dims.into(), async_spikes: false, mask: None }
    }

    /// Spikes over synapses.
    pub fn asynchronous(mut self) -> InputShape {
        self.async_spikes = true;
        self
    }

    /// An inhibition mask of the dimensions of the spikes, or of the presynaptic side for spikes over synapses.
    pub fn with_mask(mut self, dims: impl Into<Vec<usize>>) -> InputShape {
        self.mask = Some(dims.into());
        self
    }
}

impl<const N: usize> From<[usize; N]> for InputShape {
    fn from(dims: [usize; N]) -> InputShape {
        InputShape::new(dims)
    }
}

impl From<Vec<usize>> for InputShape {
    fn from(dims: Vec<usize>) -> InputShape {
        InputShape::new(dims)
    }
}

impl From<&[usize]> for InputShape {
    fn from(dims: &[usize]) -> InputShape {
        InputShape::new(dims)
    }
}

/// Shapes of the value and the mask of each input, in the axes of its port.
///
/// A port over one axis takes the dimensions as they are. Where a port has two axes (a kernel, or spikes over synapses),
/// the leading dimensions are those of the units, known from the configuration or from a port over units alone.
///
/// # Errors
/// If a required port is missing, a given one is unknown, or dimensions cannot be split.
pub(super) fn resolve(
    type_name: &str,
    ports: &[(String, PortSpecs)],
    units: Option<&[usize]>,
    given: &IndexMap<String, InputShape>,
) -> Result<IndexMap<String, (InputInfo, Option<Shape>)>> {
    let mut errors = Vec::new();
    for name in given.keys() {
        if !ports.iter().any(|(port, _)| port == name) {
            let names = ports.iter().map(|(port, _)| port.as_str());
            let error = Error::new(format!("{type_name} has no input `{name}`"));
            errors.push(error.help(crate::error::unknown_name_help(name, names)));
        }
    }
    for (name, port) in ports {
        if !given.contains_key(name) && !port.optional && !port.variadic {
            let message = format!("{type_name} needs its input `{name}`, a {}", port.payload.name);
            errors.push(Error::new(message).help(format!("give `{name}` a shape (and data)")));
        }
    }
    let population = |(name, port): &(String, PortSpecs)| match port.axes {
        [Axis::UNITS] => given.get(name).filter(|shape| !shape.async_spikes).map(|shape| shape.dims.clone()),
        _ => None,
    };
    let units = units.map(<[usize]>::to_vec).or_else(|| ports.iter().find_map(population));
    let mut out = IndexMap::new();
    for (name, port) in ports {
        let Some(shape) = given.get(name) else { continue };
        match one(port, shape, units.as_deref()) {
            Ok(resolved) => {
                out.insert(name.clone(), resolved);
            }
            Err(error) => errors.push(error.at(name.as_str())),
        }
    }
    if errors.is_empty() { Ok(out) } else { Err(Error::many(errors)) }
}

fn one(port: &PortSpecs, given: &InputShape, units: Option<&[usize]>) -> Result<(InputInfo, Option<Shape>)> {
    let size = given.dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    if size.is_none_or(|n| n == 0 || n > MOST_ELEMENTS) {
        let message = format!("an input of dimensions {:?}", given.dims);
        return Err(Error::new(message).help("every dimension is at least 1, and all elements must fit in memory"));
    }
    let over_synapses = given.async_spikes || port.axes.len() == 2;
    let shape = if over_synapses {
        split(&given.dims, units)?
    } else {
        Shape::of(port.axes.first().copied().unwrap_or(Axis::UNITS), &given.dims)
    };
    if port.payload.parts.len() > 1 && !super::has_mask(port.payload) {
        let message = format!("a {} has several parts, which a model cannot be fed", port.payload.name);
        return Err(Error::new(message).help("make it in a module of the model"));
    }
    if given.mask.is_some() && !super::has_mask(port.payload) {
        return Err(Error::new(format!("a {} has no inhibition mask", port.payload.name)));
    }
    let mask = given.mask.as_ref().map(|dims| -> Result<Shape> {
        let candidates = [Some(shape.clone()), shape.group(Axis::PRE).map(|g| Shape::of(Axis::PRE, &g.dims))];
        candidates.into_iter().flatten().find(|s| s.dims() == *dims).ok_or_else(|| {
            Error::new(format!("an inhibition mask of dimensions {dims:?} does not fit spikes of shape {shape}"))
        })
    });
    let info = InputInfo { kind: port.payload, shape, async_spikes: given.async_spikes };
    Ok((info, mask.transpose()?))
}

/// Checks that an array has the dimensions of `shape`, or is a flat list of as many values.
///
/// # Errors
/// If it does not.
pub(super) fn check_dims(array: &Array, shape: &Shape) -> Result<()> {
    let (found, expected) = (array.dims(), shape.dims());
    if found == expected || found == [shape.size()] || array.shape().is_scalar() && shape.size() == 1 {
        return Ok(());
    }
    Err(Error::new(format!("takes {} values of dimensions {expected:?}, found dimensions {found:?}", shape.size())))
}

/// Checks that an array can be the value of an input of this shape and type.
///
/// # Errors
/// If the dimensions differ, or a value is NaN, too large for `dtype`, or (for truth values) neither 0 nor 1.
pub(super) fn check_values(array: &Array, shape: &Shape, dtype: DType) -> Result<()> {
    check_dims(array, shape)?;
    let at = |i: usize| array.data().get_f64(i);
    let wrong = |fits: &dyn Fn(usize) -> bool| (0..array.len()).find(|&i| !fits(i));
    match (array.data(), dtype) {
        (Data::Bool(_), _) => Ok(()),
        (Data::F32(values), DType::F32) => nan(values.iter().position(|x| x.is_nan())),
        (_, DType::Bool) => match wrong(&|i| at(i) == 0.0 || at(i) == 1.0) {
            Some(i) => Err(Error::new(format!("value {i} is {}, which is neither 0 nor 1", at(i)))),
            None => Ok(()),
        },
        _ => {
            nan(wrong(&|i| !at(i).is_nan()))?;
            let stored = array.data().convert(dtype);
            match wrong(&|i| {
                dtype.is_float() && (stored.get_f64(i).is_finite() || !at(i).is_finite())
                    || !dtype.is_float() && stored.get_f64(i) == at(i)
            }) {
                Some(i) => {
                    Err(Error::new(format!("value {i} is {:?}, which does not fit {}", at(i), dtype.long_name())))
                }
                None => Ok(()),
            }
        }
    }
}

fn nan(position: Option<usize>) -> Result<()> {
    match position {
        Some(i) => Err(Error::new(format!("value {i} is NaN")).help("inputs are numbers; check where they come from")),
        None => Ok(()),
    }
}

/// `dims` as units followed by inputs.
fn split(dims: &[usize], units: Option<&[usize]>) -> Result<Shape> {
    let Some(units) = units else {
        return Err(Error::new("the shape of the units is not known").help("give `units` in the configuration"));
    };
    match dims.strip_prefix(units) {
        Some(inputs) if !inputs.is_empty() => Ok(Shape::units(units).with(Axis::PRE, inputs)),
        _ => {
            let message = format!("dimensions {dims:?} do not begin with those of the units, {units:?}");
            Err(Error::new(message).help("values over synapses have shape (units, inputs)"))
        }
    }
}
