//! Random numbers inside a step: from a [`RandomStream`], or from a [`KeyChain`] where Spark on JAX draws them so.

use crate::clock::step_index;
use crate::rng::Key;
use spark_compiler::array::{Handle, Int, Real, Value, tape};
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

    /// 32 random bits, independent for every element and step.
    #[track_caller]
    pub fn bits(&self, shape: &Shape) -> Int {
        Int::from_value(tape::random_bits(self.step_key(), shape))
    }

    /// Numbers uniform in 0 ≤ u < 1, independent for every element and step.
    #[track_caller]
    pub fn uniform(&self, shape: &Shape) -> Real {
        self.bits(shape).to_uniform()
    }

    /// Numbers of the standard normal distribution, independent for every element and step.
    ///
    /// Box and Muller (1958), *A note on the generation of random normal deviates*, Annals of Mathematical Statistics 29:
    /// √(−2 ln u₁)·cos 2πu₂, for u₁ in (0, 1].
    #[track_caller]
    pub fn normal(&self, shape: &Shape) -> Real {
        let key = self.step_key();
        let [radius, angle] = [0, 1].map(|part| {
            let key = tape::split_key(key, Int::scalar(part).value());
            Int::from_value(tape::random_bits(key, shape)).to_uniform()
        });
        (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }

    #[track_caller]
    fn step_key(&self) -> [Value; 2] {
        let words = self.key.0.map(|word| Int::scalar(word as i32).value());
        tape::split_key(words, step_index().value())
    }
}

/// Keys one after another, each split from what the former left: how modules of Spark on JAX draw in their calls.
///
/// A draw depends on how many draws were made before, so the key is a state. Where the reference's numbers do not matter,
/// a [`RandomStream`] needs none.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct KeyChain {
    /// First word of the key the next draw splits.
    #[variable]
    high: Int,
    /// Second word.
    #[variable]
    low: Int,
}

impl KeyChain {
    /// The chain that begins with `key`.
    pub fn new(key: Key) -> KeyChain {
        let [high, low] = key.0.map(|word| Int::scalar(word as i32));
        KeyChain { high, low }
    }

    /// Numbers uniform in 0 ≤ u < 1, independent of the draws before: JAX's `uniform(key)` after `rng, key = split(rng)`.
    #[track_caller]
    pub fn uniform(&mut self, shape: &Shape) -> Real {
        let chain = [self.high.value(), self.low.value()];
        let [next, draw] = [0, 1].map(|part| tape::split_key(chain, Int::scalar(part).value()));
        [self.high, self.low] = next.map(Int::from_value);
        Int::from_value(tape::random_bits(draw, shape)).to_uniform()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Build;
    use crate::rng::RngStream;
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

    #[test]
    fn a_chain_draws_the_keys_of_the_hosts_stream() {
        let shape = Shape::units(&[5]);
        let session = Session::begin("chain", Mode::Eager, Elem::F32, Memory::default());
        let inputs = indexmap::IndexMap::new();
        let mut host = RngStream::new(0);
        for _ in 0..3 {
            host.next_key();
        }
        let mut chain = Build::new("chain", &inputs).with_earlier_calls(3).key_chain();
        for _ in 0..3 {
            let drawn = chain.uniform(&shape).known().unwrap();
            assert_eq!(drawn.to_f32(), host.next_key().uniform_f32(5));
        }
        session.finish().unwrap();
    }

    #[test]
    fn normal_numbers_have_the_moments_and_tails_of_the_distribution() {
        let shape = Shape::units(&[200_000]);
        for elem in [Elem::F32, Elem::F64] {
            let session = Session::begin("normal", Mode::Eager, elem, Memory::default());
            let drawn = RandomStream::new(Key::new(3)).normal(&shape).known().unwrap().to_f64();
            session.finish().unwrap();
            let n = drawn.len() as f64;
            let moment = |power: i32| drawn.iter().map(|x| x.powi(power)).sum::<f64>() / n;
            for (power, expected, error) in [(1, 0.0, 1.0f64), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
                let deviation = (moment(power) - expected) / (error / n).sqrt();
                assert!(deviation.abs() < 4.0, "moment {power}: {deviation} standard errors off");
            }
            // 2.7 in a thousand lie beyond three standard deviations.
            let beyond = drawn.iter().filter(|x| x.abs() > 3.0).count() as f64;
            assert!((beyond - 0.0027 * n).abs() < 4.0 * (0.0027 * n).sqrt(), "{beyond} beyond 3");
        }
    }
}
