//! The shapes of a model's inputs: from host dimensions to axes.

use crate::error::{Error, Result};
use crate::module::InputInfo;
use crate::payload::{FloatArray, Payload, PayloadKind, PayloadType, SpikeArray};
use crate::spec::PortSpecs;
use indexmap::IndexMap;
use spark_compiler::array::budget;
use spark_compiler::ir::{Array, Axis, DType, Data, Shape};

/// What the host will feed into an input port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputShape {
    /// Host dimensions, without time.
    pub dims: Vec<usize>,
    /// Spikes over synapses: the dimensions are those of the units followed by those of the inputs.
    pub async_spikes: bool,
    /// Dimensions of the inhibition mask, if one will be given.
    pub mask: Option<Vec<usize>>,
    /// Kind of the payload, for a port that takes any: spikes where a mask is given or they are over synapses, else a
    /// [`FloatArray`], unless said otherwise.
    pub kind: Option<&'static PayloadKind>,
}

impl InputShape {
    /// Values of these dimensions, one per neuron or element.
    pub fn new(dims: impl Into<Vec<usize>>) -> InputShape {
        InputShape { dims: dims.into(), async_spikes: false, mask: None, kind: None }
    }

    /// Values of a payload of type `T`, for a port that takes any.
    pub fn carrying<T: PayloadType>(mut self) -> InputShape {
        self.kind = Some(T::KIND);
        self
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

/// An input of a model before it is built.
#[derive(Debug)]
pub(super) struct Resolved {
    /// The port it feeds; several inputs feed a variadic one.
    pub(super) port: String,
    /// What is known of its value.
    pub(super) info: InputInfo,
    /// Shape of its mask.
    pub(super) mask: Option<Shape>,
}

/// True if the input called `name` feeds this port: `inputs`, or `inputs[1]` for a source of a variadic port.
fn feeds(name: &str, (port, spec): &(String, PortSpecs)) -> bool {
    let source = || name.strip_prefix(port.as_str())?.strip_prefix('[')?.strip_suffix(']')?.parse::<u32>().ok();
    name == port || spec.variadic && source().is_some()
}

/// Shapes of the value and the mask of each input, in the axes of its port.
///
/// Sources of a variadic port `inputs` are called `inputs[0]`, `inputs[1]`, ..., in the order given. A port over one axis takes the dimensions as they are. Where a port has two axes (a kernel, or spikes over synapses),
/// the leading dimensions are those of the units, known from the configuration or from a port over units alone.
///
/// # Errors
/// If a required port is missing, a given one is unknown, or dimensions cannot be split.
pub(super) fn resolve(
    type_name: &str,
    ports: &[(String, PortSpecs)],
    units: Option<&[usize]>,
    given: &IndexMap<String, InputShape>,
) -> Result<IndexMap<String, Resolved>> {
    let mut errors = Vec::new();
    for name in given.keys() {
        if !ports.iter().any(|port| feeds(name, port)) {
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
    for port in ports {
        for (name, shape) in given.iter().filter(|(name, _)| feeds(name, port)) {
            match one(&port.1, shape, units.as_deref()) {
                Ok((info, mask)) => {
                    out.insert(name.clone(), Resolved { port: port.0.clone(), info, mask });
                }
                Err(error) => errors.push(error.at(name.as_str())),
            }
        }
    }
    if errors.is_empty() { Ok(out) } else { Err(Error::many(errors)) }
}

/// What is known of each port: of several sources, what they are joined.
///
/// # Errors
/// If sources of one port cannot be joined.
pub(super) fn joined(inputs: &IndexMap<String, Resolved>) -> Result<IndexMap<String, InputInfo>> {
    let mut ports: IndexMap<String, InputInfo> = IndexMap::new();
    for (name, Resolved { port, info, .. }) in inputs {
        let Some(former) = ports.get_mut(port) else {
            ports.insert(port.clone(), info.clone());
            continue;
        };
        if former.kind != info.kind {
            let message = format!("cannot join a {} and a {} on one port", former.kind.name, info.kind.name);
            return Err(Error::new(message).at(name).help("say what an input carries: InputShape::carrying"));
        }
        former.async_spikes |= info.async_spikes;
        former.shape = Shape::units(&[former.shape.size() + info.shape.size()]);
    }
    Ok(ports)
}

/// Kind of the payload on `port`.
fn kind_of(port: &PortSpecs, given: &InputShape) -> Result<&'static PayloadKind> {
    match (port.payload == Payload::KIND, given.kind) {
        (true, Some(kind)) if kind != Payload::KIND => Ok(kind),
        (true, _) if given.async_spikes || given.mask.is_some() => Ok(SpikeArray::KIND),
        (true, _) => Ok(FloatArray::KIND),
        (false, Some(kind)) if kind != port.payload => {
            Err(Error::new(format!("a {} does not fit a port of type {}", kind.name, port.payload.name)))
        }
        (false, _) => Ok(port.payload),
    }
}

fn one(port: &PortSpecs, given: &InputShape, units: Option<&[usize]>) -> Result<(InputInfo, Option<Shape>)> {
    let size = given.dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    if size.is_none_or(|n| n == 0 || n > budget::most_elements()) {
        let message = format!("an input of dimensions {:?}", given.dims);
        return Err(Error::new(message).help("every dimension is at least 1, and all elements must fit in memory"));
    }
    let over_synapses = given.async_spikes || port.axes.len() == 2;
    let shape = if over_synapses {
        split(&given.dims, units)?
    } else {
        Shape::of(port.axes.first().copied().unwrap_or(Axis::UNITS), &given.dims)
    };
    let kind = kind_of(port, given)?;
    if kind.parts.len() > 1 && !super::has_mask(kind) {
        let message = format!("a {} has several parts, which a model cannot be fed", kind.name);
        return Err(Error::new(message).help("make it in a module of the model"));
    }
    if given.mask.is_some() && !super::has_mask(kind) {
        return Err(Error::new(format!("a {} has no inhibition mask", kind.name)));
    }
    let mask = given.mask.as_ref().map(|dims| -> Result<Shape> {
        let candidates = [Some(shape.clone()), shape.group(Axis::PRE).map(|g| Shape::of(Axis::PRE, &g.dims))];
        candidates.into_iter().flatten().find(|s| s.dims() == *dims).ok_or_else(|| {
            Error::new(format!("an inhibition mask of dimensions {dims:?} does not fit spikes of shape {shape}"))
        })
    });
    let info = InputInfo { kind, shape, async_spikes: given.async_spikes };
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
