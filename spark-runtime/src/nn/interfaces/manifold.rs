//! Units that tile a space, one line of them for each dimension: what the topological spikers share.

use crate::prelude::*;

/// Lines of units with overlapping receptive fields, one line for each element of a signal.
///
/// The signal, rescaled to x = (signal − min)/(max − min), is a position on its line; unit u of the line is driven by
///
/// e^(−d²/2σ), with d = sin(φ_u + πx) if the ends of the line are glued, d = tanh(φ_u − πx) if not, φ_u = π·u/(resolution − 1).
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct Manifold {
    /// True where the ends of a line are glued.
    #[constant]
    glue: Bool,
    #[constant]
    mins: Real,
    /// Length of the signal's range.
    #[constant]
    span: Real,
    /// −1/2σ.
    #[constant]
    sharpness: Real,
    /// φ, over the units of a line.
    #[constant]
    positions: Real,
}

/// Parameters of a [`Manifold`].
#[spark::config(group)]
pub struct ManifoldConfig {
    /// 1 where the ends of a dimension are glued together, 0 where not: one for all, or one per element of the signal.
    #[param(default = 0, check = binary)]
    pub glue: Param,
    /// Signal at the start of a dimension: one for all, or one per element of the signal.
    #[param(default = 0, check = finite)]
    pub mins: Param,
    /// Signal at the end of a dimension; differs from `mins`.
    #[param(default = 1, check = finite)]
    pub maxs: Param,
    /// Units per dimension.
    #[param(default = 64, check = positive)]
    pub resolution: usize,
    /// Spread of the drive over the units: the variance of a Gaussian.
    #[param(default = 0.03125, check = positive)]
    pub sigma: f64,
}

impl ManifoldConfig {
    /// The shape of the units: that of the signal, with the units of a line as last dimension.
    pub(super) fn units_of(&self, cx: &mut Build<'_>, inputs: &Shape) -> Shape {
        Shape::units(&[inputs.dims(), vec![self.possible_resolution(cx)]].concat())
    }

    /// The resolution; one that is too large is reported, and 1 given in its place.
    fn possible_resolution(&self, cx: &mut Build<'_>) -> usize {
        const MOST: usize = 1 << 24;
        if self.resolution <= MOST {
            return self.resolution;
        }
        let message = format!("must be at most {MOST}, found {}", self.resolution);
        cx.report(Error::new(message).at("resolution"));
        1
    }
}

impl Manifold {
    /// Lines for a signal of shape `inputs`. Draws one key, of which initializers get one each. A range that is empty or has no
    /// length in the model's precision is reported, and so is a resolution that is too large.
    ///
    /// # Errors
    /// If the signal has too many elements.
    pub(super) fn new(cx: &mut Build<'_>, inputs: &Shape, space: &ManifoldConfig) -> Result<Manifold> {
        let resolution = space.possible_resolution(cx);
        // The reference draws none here, so the key is that of its first call, which nothing else uses.
        let keys = cx.key().split(3);
        let (overrides, dtype) = (InitOverrides::default(), cx.dtype());
        let mut given = |index: usize, name: &str, param: &Param, dtype: DType| {
            cx.array_with_key(keys[index], name, param, inputs, dtype, &overrides)
        };
        let glue = given(0, "glue", &space.glue, DType::Bool)?;
        let mins = given(1, "mins", &space.mins, dtype)?;
        let maxs = given(2, "maxs", &space.maxs, dtype)?;
        let (mins, maxs) = (cx.real(&mins), cx.real(&maxs));
        let span = maxs - mins;
        let lengths = span.known().map(|span| span.convert(cx.dtype()).to_f64()).unwrap_or_default();
        let wrong = lengths.iter().position(|length| *length == 0.0 || !length.is_finite());
        if let Some(at) = wrong.filter(|_| cx.is_right("mins") && cx.is_right("maxs")) {
            let message = format!(
                "must differ from mins, and by a finite number: maxs − mins is {} at position {at}",
                lengths[at]
            );
            cx.report(Error::new(message).at("maxs"));
        }
        Ok(Manifold {
            glue: cx.bool(&glue),
            mins,
            span,
            sharpness: cx.number(-(0.5 / space.sigma)),
            positions: positions(cx, resolution)?,
        })
    }
}

#[spark::traced]
impl Manifold {
    /// Drive of each unit, from 0 to 1, in shape `units`: that of the signal, with the lines as last dimension.
    pub fn drive(&self, signal: Real, units: &Shape) -> Real {
        // Far outside the range no unit is near; and a sine of infinity is not a number.
        let x = ((signal - self.mins) / self.span).clip(-1e6, 1e6) * std::f64::consts::PI;
        let distance = if self.glue { (self.positions + x).sin() } else { (self.positions - x).tanh() };
        (self.sharpness * distance.square()).exp().regroup(units)
    }
}

/// `resolution` numbers from 0 to π. The order of the arithmetic is that of XLA, so the numbers are the reference's.
fn positions(cx: &Build<'_>, resolution: usize) -> Result<Real> {
    let last = resolution.saturating_sub(1).max(1);
    let shape = Shape::of(Axis::PRE, &[resolution]);
    let index = Array::new(shape.clone(), Data::I32((0..resolution as i32).collect()));
    let index = index.map_err(|e| Error::new(e.to_string()).at("resolution"))?;
    let pi = cx.number(std::f64::consts::PI);
    let inner = cx.int(&index).to_real() * (1.0 / cx.number(last as f64)) * pi;
    let mut positions = inner.known().map(|array| array.to_f64()).unwrap_or_default();
    if resolution > 1 {
        positions[resolution - 1] = std::f64::consts::PI;
    }
    let positions = Array::new(shape, Data::F64(positions)).map_err(|e| Error::new(e.to_string()).at("resolution"))?;
    Ok(cx.real(&positions))
}
