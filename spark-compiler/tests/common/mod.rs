//! Runs one program in every way there is and compares the results bit for bit.
//!
//! The evaluator on the program as written is the reference. Against it run the evaluator and the kernel of the program
//! after each choice of passes. Any NaN equals any NaN; everything else, also −0 and 0, differs if its bits do.

// Each test uses a part.
#![allow(dead_code)]

use half::{bf16, f16};
use spark_compiler::eval::Evaluator;
use spark_compiler::ir::{Array, DType, Data, Program, Shape};
use spark_compiler::kernel::{Instance, Kernel};
use spark_compiler::passes::{CompileOptions, Keeper, Optimized, StateView, optimize};

/// A choice of passes, and whether a kernel is compiled besides evaluating the optimised program.
pub(crate) struct Way {
    /// For messages.
    pub(crate) name: &'static str,
    /// The passes.
    pub(crate) options: CompileOptions,
    /// Compile and run a kernel as well.
    pub(crate) kernel: bool,
}

/// All passes, none, and each alone. Kernels of single passes take time, so they are a choice.
pub(crate) fn ways(kernels_of_single_passes: bool) -> Vec<Way> {
    let none = CompileOptions::none();
    let single = |name, options| Way { name, options, kernel: kernels_of_single_passes };
    vec![
        Way { name: "all exact passes", options: CompileOptions::exact(), kernel: true },
        Way { name: "no passes", options: none, kernel: true },
        single("fold alone", CompileOptions { fold: true, ..none }),
        single("simplify alone", CompileOptions { simplify: true, ..none }),
        single("cse alone", CompileOptions { cse: true, ..none }),
        single("dce alone", CompileOptions { dce: true, ..none }),
        single("narrow alone", CompileOptions { narrow: true, ..none }),
        single("delay filters alone", CompileOptions { delay_filters: true, ..none }),
        single("events alone", CompileOptions { events: true, ..none }),
        Way { name: "intrinsics alone", options: CompileOptions { intrinsics: true, ..none }, kernel: true },
        Way {
            name: "all exact passes, no intrinsics",
            options: CompileOptions { intrinsics: false, ..CompileOptions::exact() },
            kernel: kernels_of_single_passes,
        },
    ]
}

/// What can be seen of a program after one step.
#[derive(Debug)]
pub(crate) struct Seen {
    /// One array per output.
    pub(crate) outputs: Vec<Array>,
    /// One array per state, as it was declared; `None` if passes keep it in a form that does not tell.
    pub(crate) states: Vec<Option<Array>>,
}

/// Runs `program` once per list of inputs, in every way, and returns what the evaluator sees after each step.
///
/// # Errors
/// The first difference, with the program.
pub(crate) fn run(program: &Program, inputs: &[Vec<Array>], ways: &[Way]) -> Result<Vec<Seen>, String> {
    let expected = evaluate(&optimize(program.clone(), &CompileOptions::none()), program, inputs)?;
    for way in ways {
        let optimized = optimize(program.clone(), &way.options);
        let found = evaluate(&optimized, program, inputs)?;
        let who = format!("evaluator, {}", way.name);
        compare(program, &expected, &found, &who).map_err(|e| format!("{e}\noptimised:\n{}", optimized.program()))?;
        if !way.kernel {
            continue;
        }
        let kernel = Kernel::compile(program.clone(), &way.options)
            .map_err(|e| format!("{} do not compile: {e}\n{program}", way.name))?;
        let mut instance = kernel.instance().map_err(|e| format!("{e}\n{program}"))?;
        // The second round shows what a reset forgets.
        for round in ["", ", after a reset"] {
            let found = run_kernel(program, &mut instance, inputs)?;
            let who = format!("kernel, {}{round}", way.name);
            compare(program, &expected, &found, &who).map_err(|e| format!("{e}\n{}", kernel.lowered()))?;
            instance.reset();
        }
    }
    Ok(expected)
}

/// Runs the optimised program of `original` in the evaluator.
///
/// # Errors
/// If inputs do not fit.
pub(crate) fn evaluate(optimized: &Optimized, original: &Program, inputs: &[Vec<Array>]) -> Result<Vec<Seen>, String> {
    let program = optimized.program();
    let mut evaluator = Evaluator::new(program);
    let step = |inputs: &Vec<Array>| {
        let outputs = evaluator.step(program, inputs).map_err(|e| format!("{e}\n{original}"))?;
        let states = Evaluated { program, evaluator: &evaluator }.declared(optimized.views());
        Ok(Seen { outputs, states })
    };
    inputs.iter().map(step).collect()
}

/// What an evaluator keeps.
pub(crate) struct Evaluated<'a> {
    pub(crate) program: &'a Program,
    pub(crate) evaluator: &'a Evaluator,
}

impl Evaluated<'_> {
    /// The states as they were declared.
    pub(crate) fn declared(&self, views: &[StateView]) -> Vec<Option<Array>> {
        views.iter().zip(self.evaluator.states()).map(|(view, kept)| view.whole(kept, self)).collect()
    }
}

impl Keeper for Evaluated<'_> {
    fn rows(&self, history: &str) -> Option<(Vec<Array>, usize)> {
        let at = self.program.histories.iter().position(|h| h.name == history)?;
        let ring = &self.evaluator.histories()[at];
        Some((ring.rows().to_vec(), (ring.position() + ring.rows().len() - 1) % ring.rows().len()))
    }

    fn state(&self, name: &str) -> Option<Array> {
        let at = self.program.states.iter().position(|s| s.name == name)?;
        Some(self.evaluator.states()[at].clone())
    }
}

fn run_kernel(program: &Program, instance: &mut Instance, inputs: &[Vec<Array>]) -> Result<Vec<Seen>, String> {
    let step = |inputs: &Vec<Array>| {
        for (i, input) in inputs.iter().enumerate() {
            instance.set_input(i, input.data()).map_err(|e| e.to_string())?;
        }
        instance.step();
        let outputs = (0..program.outputs.len()).map(|i| instance.output(i)).collect();
        let states = program.states.iter().map(|s| instance.state(&s.name)).collect();
        Ok(Seen { outputs, states })
    };
    inputs.iter().map(step).collect()
}

/// Compares what was seen.
///
/// # Errors
/// The first difference.
pub(crate) fn compare(program: &Program, expected: &[Seen], found: &[Seen], who: &str) -> Result<(), String> {
    for (step, (expected, found)) in expected.iter().zip(found).enumerate() {
        let mut pairs = Vec::new();
        for (output, both) in program.outputs.iter().zip(expected.outputs.iter().zip(&found.outputs)) {
            pairs.push(("output", &output.name, both));
        }
        for (state, both) in program.states.iter().zip(expected.states.iter().zip(&found.states)) {
            if let (Some(expected), Some(found)) = both {
                pairs.push(("state", &state.name, (expected, found)));
            }
        }
        for (kind, name, (expected, found)) in pairs {
            if let Some(difference) = difference(expected, found) {
                return Err(format!("{who}: {kind} {name:?} after step {step}: {difference}\n{program}"));
            }
        }
    }
    Ok(())
}

/// The first element that differs; `None` if all are alike.
pub(crate) fn difference(expected: &Array, found: &Array) -> Option<String> {
    if (expected.dtype(), expected.shape()) != (found.dtype(), found.shape()) {
        let (e, f) = (expected, found);
        return Some(format!("{}{} instead of {}{}", f.dtype(), f.shape(), e.dtype(), e.shape()));
    }
    let at = (0..expected.len()).find(|&i| key(expected.data(), i) != key(found.data(), i))?;
    let (e, f) = (expected.data().get_f64(at), found.data().get_f64(at));
    Some(format!("element {at} is {f:?} instead of {e:?}"))
}

/// Bits of an element; one value for all NaN.
fn key(data: &Data, i: usize) -> Option<u64> {
    match data {
        Data::F16(v) => (!v[i].is_nan()).then(|| u64::from(v[i].to_bits())),
        Data::BF16(v) => (!v[i].is_nan()).then(|| u64::from(v[i].to_bits())),
        Data::F32(v) => (!v[i].is_nan()).then(|| u64::from(v[i].to_bits())),
        Data::F64(v) => (!v[i].is_nan()).then(|| v[i].to_bits()),
        Data::U8(v) => Some(u64::from(v[i])),
        Data::U16(v) => Some(u64::from(v[i])),
        Data::I32(v) => Some(u64::from(v[i] as u32)),
        Data::Bool(v) => Some(u64::from(v[i])),
    }
}

/// Random numbers: splitmix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One of a list.
    pub(crate) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[(self.next() % list.len() as u64) as usize]
    }

    /// Small numbers mostly, often NaN, infinities, −0, denormal and huge ones, sometimes any bits.
    pub(crate) fn float(&mut self) -> f64 {
        const SPECIAL: [f64; 20] = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            -2.5,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            1e-40,
            -1e-45,
            5e-324,
            6e-8,
            65504.0,
            -1e9,
            3e38,
            -3.4e38,
            1e300,
            2_147_483_648.0,
            16_777_217.0,
        ];
        let any = f32::from_bits(self.next() as u32);
        match self.next() % 8 {
            0 | 1 => self.pick(&SPECIAL),
            2 => f64::from(any),
            3 => (self.next() % 17) as f64 - 8.0,
            _ => (self.next() % 4096) as f64 / 512.0 - 4.0,
        }
    }

    /// `len` elements of `dtype`.
    pub(crate) fn data(&mut self, dtype: DType, len: usize) -> Data {
        let mut ints = |most: i32| -> Vec<i32> {
            let mut one = || match self.next() % 4 {
                0 => self.pick(&[0, 1, most, i32::MIN, -1, i32::MAX]),
                1 => self.next() as i32,
                _ => (self.next() % 7) as i32 - 3,
            };
            (0..len).map(|_| one()).collect()
        };
        match dtype {
            DType::U8 => Data::I32(ints(255)).convert(dtype),
            DType::U16 => Data::I32(ints(65535)).convert(dtype),
            DType::I32 => Data::I32(ints(1 << 24)),
            DType::Bool => Data::Bool((0..len).map(|_| self.next() & 1 == 1).collect()),
            DType::F64 => Data::F64((0..len).map(|_| self.float()).collect()),
            DType::F32 => Data::F32((0..len).map(|_| self.float() as f32).collect()),
            DType::F16 => Data::F16((0..len).map(|_| f16::from_f64(self.float())).collect()),
            DType::BF16 => Data::BF16((0..len).map(|_| bf16::from_f64(self.float())).collect()),
        }
    }

    /// An array of random elements.
    pub(crate) fn array(&mut self, dtype: DType, shape: &Shape) -> Array {
        Array::new(shape.clone(), self.data(dtype, shape.size())).expect("as many elements as the shape has")
    }
}
