//! Random numbers inside a step.

use crate::rng::Key;
use spark_compiler::array::{Handle, Int, Real, tape};
use spark_compiler::ir::Shape;

/// A stream of random numbers for use inside a step, kept in a `#[host]` field.
///
/// A draw is a function of the stream's key, the step since the last reset and the element: never of the order of calls,
/// the number of threads or the memory layout. So two draws of one stream in one step are equal; keep one stream per
/// quantity that is to be independent.
///
/// The key of step t is word pair t of JAX's `split(key, n)`; the numbers are JAX's `uniform(key)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomStream {
    key: Key,
}

impl RandomStream {
    /// The stream of `key`, for example from [`crate::build::Build::key`].
    pub fn new(key: Key) -> RandomStream {
        RandomStream { key }
    }

    /// Numbers uniform in 0 ≤ u < 1, independent for every element and step.
    #[track_caller]
    pub fn uniform(&self, shape: &Shape) -> Real {
        let words = self.key.0.map(|word| Int::scalar(word as i32).value());
        let key = tape::split_key(words, tape::step_index());
        Int::from_value(tape::random_bits(key, shape)).to_uniform()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spark_compiler::array::{Memory, Mode, Session};
    use spark_compiler::eval::Evaluator;
    use spark_compiler::ir::{Array, DType, Elem};
    use spark_compiler::kernel::Kernel;
    use spark_compiler::passes::CompileOptions;

    #[test]
    fn draws_are_those_of_the_host_whatever_runs_them() {
        let key = Key::new(42);
        let shape = Shape::units(&[37]);
        let session = Session::begin("noise", Mode::Traced, Elem::F32, Memory::default());
        let drawn = RandomStream::new(key).uniform(&shape);
        tape::output("noise", DType::F32, drawn.value());
        let program = session.finish().unwrap().program;
        let kernel = Kernel::compile(program.clone(), &CompileOptions::default()).unwrap();
        let mut instance = kernel.instance().unwrap();
        let mut evaluator = Evaluator::new(&program);
        for step in 0..3 {
            instance.step();
            let evaluated: Vec<Array> = evaluator.step(&program, &[]).unwrap();
            let expected = key.split(3)[step].uniform_f32(37);
            assert_eq!(instance.output(0).to_f32(), expected, "kernel, step {step}");
            assert_eq!(evaluated[0].to_f32(), expected, "evaluator, step {step}");
        }
        // A reset begins the same stream again.
        instance.reset();
        instance.step();
        assert_eq!(instance.output(0).to_f32(), key.split(3)[0].uniform_f32(37));
    }
}
