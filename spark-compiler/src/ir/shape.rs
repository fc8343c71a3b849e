//! Shapes over named axes.
//!
//! A shape is a set of *axis groups*. A group has a name ([`Axis`]) and host dimensions of any rank; a population of
//! 2×3 neurons is the single group `units:2x3`. Element-wise operations match groups **by name, never by position**, so
//! `kernel[units, pre] * spikes[pre]` needs no reshaping and cannot silently pair the wrong axes.
//!
//! Invariant: groups are sorted by axis (`units` before `pre` before the anonymous ones) and no axis occurs twice. The
//! host view of an array is the concatenation of the groups' dimensions in that order: a kernel with `units:2x3` and
//! `pre:4x5` is seen as an array of shape `(2, 3, 4, 5)`, as in Spark on JAX.

use std::fmt;

/// The name of an axis group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Axis(u8);

impl Axis {
    /// The population a module describes; the postsynaptic side of a synapse.
    pub const UNITS: Axis = Axis(0);
    /// Another name of [`Axis::UNITS`], used where a `pre` side exists as well.
    pub const POST: Axis = Axis(0);
    /// The presynaptic side of a synapse.
    pub const PRE: Axis = Axis(1);

    /// An anonymous axis; `index` is at most 253.
    pub const fn anonymous(index: u8) -> Axis {
        Axis(2 + index)
    }

    /// Reads the text form: `units` (or `post`), `pre`, `a0`, `a1`, ...
    pub fn parse(text: &str) -> Option<Axis> {
        match text {
            "units" | "post" => Some(Axis::UNITS),
            "pre" => Some(Axis::PRE),
            _ => {
                let index: u8 = text.strip_prefix('a')?.parse().ok()?;
                (index <= 253).then(|| Axis::anonymous(index))
            }
        }
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("units"),
            1 => f.write_str("pre"),
            n => write!(f, "a{}", n - 2),
        }
    }
}

impl fmt::Debug for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One axis group of a [`Shape`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Group {
    /// The group's name.
    pub axis: Axis,
    /// The group's host dimensions, outermost first; never empty.
    pub dims: Vec<usize>,
}

impl Group {
    /// Number of elements along this group.
    pub fn size(&self) -> usize {
        self.dims.iter().product()
    }
}

/// A set of axis groups; the empty set is a scalar.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape {
    groups: Vec<Group>,
}

/// Two shapes that cannot be combined: one axis, two sizes.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("axis `{axis}` has dimensions {} on one side and {} on the other", dims_text(.left), dims_text(.right))]
pub struct ShapeMismatch {
    /// The axis both shapes have.
    pub axis: Axis,
    /// Its dimensions in the left operand.
    pub left: Vec<usize>,
    /// Its dimensions in the right operand.
    pub right: Vec<usize>,
}

impl Shape {
    /// The shape without groups.
    pub const fn scalar() -> Shape {
        Shape { groups: Vec::new() }
    }

    /// A shape of one group.
    pub fn of(axis: Axis, dims: &[usize]) -> Shape {
        let dims = if dims.is_empty() { vec![1] } else { dims.to_vec() };
        Shape { groups: vec![Group { axis, dims }] }
    }

    /// A population: `units:dims`.
    pub fn units(dims: &[usize]) -> Shape {
        Shape::of(Axis::UNITS, dims)
    }

    /// This shape with one more group (or that group's dimensions replaced).
    pub fn with(mut self, axis: Axis, dims: &[usize]) -> Shape {
        self.groups.retain(|g| g.axis != axis);
        self.groups.extend(Shape::of(axis, dims).groups);
        self.groups.sort_by_key(|g| g.axis);
        self
    }

    /// This shape without `axis`.
    pub fn without(&self, axis: Axis) -> Shape {
        Shape { groups: self.groups.iter().filter(|g| g.axis != axis).cloned().collect() }
    }

    /// The groups, in canonical order.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The group called `axis`.
    pub fn group(&self, axis: Axis) -> Option<&Group> {
        self.groups.iter().find(|g| g.axis == axis)
    }

    /// Position of `axis` among the groups.
    pub fn position(&self, axis: Axis) -> Option<usize> {
        self.groups.iter().position(|g| g.axis == axis)
    }

    /// True for the shape without groups.
    pub fn is_scalar(&self) -> bool {
        self.groups.is_empty()
    }

    /// Number of elements; `None` if it does not fit.
    pub fn checked_size(&self) -> Option<usize> {
        self.dims().iter().try_fold(1usize, |n, &d| n.checked_mul(d))
    }

    /// Number of elements.
    pub fn size(&self) -> usize {
        self.groups.iter().map(Group::size).product()
    }

    /// Number of elements of each group, in canonical order.
    pub fn sizes(&self) -> Vec<usize> {
        self.groups.iter().map(Group::size).collect()
    }

    /// The host (positional) dimensions.
    pub fn dims(&self) -> Vec<usize> {
        self.groups.iter().flat_map(|g| g.dims.iter().copied()).collect()
    }

    /// The union of two shapes, matched by axis name.
    ///
    /// # Errors
    /// [`ShapeMismatch`] if an axis occurs in both with different dimensions.
    pub fn broadcast(&self, other: &Shape) -> Result<Shape, ShapeMismatch> {
        let mut out = self.clone();
        for group in &other.groups {
            match out.group(group.axis) {
                None => out.groups.push(group.clone()),
                Some(mine) if mine.dims == group.dims => {}
                Some(mine) => {
                    return Err(ShapeMismatch { axis: group.axis, left: mine.dims.clone(), right: group.dims.clone() });
                }
            }
        }
        out.groups.sort_by_key(|g| g.axis);
        Ok(out)
    }

    /// True if every group of `self` is a group of `other`: `self` broadcasts to `other`.
    pub fn fits(&self, other: &Shape) -> bool {
        self.groups.iter().all(|g| other.groups.contains(g))
    }
}

/// Dimensions as users write them: `2x3`.
pub(crate) fn dims_text(dims: &[usize]) -> String {
    dims.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, group) in self.groups.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{}:{}", group.axis, dims_text(&group.dims))?;
        }
        f.write_str("]")
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_matches_names_not_positions() {
        let kernel = Shape::units(&[2, 3]).with(Axis::PRE, &[4, 5]);
        let spikes = Shape::of(Axis::PRE, &[4, 5]);
        assert_eq!(spikes.broadcast(&kernel).unwrap(), kernel);
        assert_eq!(kernel.dims(), [2, 3, 4, 5]);
        let other = Shape::of(Axis::PRE, &[5, 4]);
        assert_eq!(other.broadcast(&kernel).unwrap_err().axis, Axis::PRE);
    }
}
