//! States in print: an indented tree of names, each array with type, dimensions and range.

use super::State;
use spark_compiler::ir::Array;
use std::fmt;

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: usize = self.iter().map(|(_, array)| array.len() * array.dtype().bits().div_ceil(8)).sum();
        write!(f, "{} arrays, {bytes} bytes, after {} steps", self.len(), self.steps())?;
        let mut open: Vec<&str> = Vec::new();
        for (path, array) in self {
            let names: Vec<&str> = path.split('.').collect();
            let (name, groups) = names.split_last().expect("a split has a first part");
            let shared = open.iter().zip(groups).take_while(|(a, b)| a == b).count();
            open.truncate(shared);
            for group in &groups[shared..] {
                write!(f, "\n{:indent$}{group}", "", indent = 2 * open.len() + 2)?;
                open.push(group);
            }
            write!(f, "\n{:indent$}{name}: {}", "", about(array), indent = 2 * open.len() + 2)?;
        }
        Ok(())
    }
}

/// Type and dimensions of an array, and its smallest and largest element.
fn about(array: &Array) -> String {
    let dims: Vec<String> = array.dims().iter().map(ToString::to_string).collect();
    let kind = match dims.is_empty() {
        true => array.dtype().long_name().to_string(),
        false => format!("{} {}", array.dtype().long_name(), dims.join("x")),
    };
    let values = array.to_f64();
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &x| (l.min(x), h.max(x)));
    let nan = if values.iter().any(|x| x.is_nan()) { ", some not a number" } else { "" };
    match values[..] {
        [] => kind,
        [only] => format!("{kind} = {only}"),
        _ if low == high => format!("{kind}, all {low}{nan}"),
        _ if low > high => format!("{kind}, not a number"),
        _ => format!("{kind}, {low} to {high}{nan}"),
    }
}
