//! Finite input never gives NaN or infinity: every registered module, found in the registry, fed with numbers from the whole
//! range of its storage type over many steps.

mod support;

use spark::bounds::{largest, limit};
use spark::config::ConfigValue;
use spark::model::Outputs;
use spark::payload::PayloadType;
use spark::prelude::*;
use spark::registry::Registry;
use spark::rng::Key;
use spark_compiler::passes::CompileOptions;
use support::registered::{Drive, Over, Subject, array};

const STEPS: usize = 400;

/// Every module of the library with each kind of payload that its ports for any payload may carry.
fn subjects() -> Vec<Subject> {
    let modules: Vec<_> = Registry::global().unwrap().modules.iter().collect();
    assert!(modules.len() > 40);
    let kinds = |spec: &'static spark::spec::ModuleType| match spec.inputs.iter().any(|p| p.payload == Payload::KIND) {
        true => vec![CurrentArray::KIND, SpikeArray::KIND],
        false => vec![FloatArray::KIND],
    };
    modules.into_iter().flat_map(|spec| kinds(spec).into_iter().map(|kind| Subject::any(spec, kind))).collect()
}

/// A number of any size up to the largest of `dtype`, of either sign: magnitudes are uniform on a logarithmic scale.
fn any_number(dtype: DType, uniform: &mut impl Iterator<Item = f32>) -> f64 {
    let mut draw = || f64::from(uniform.next().unwrap());
    let smallest = f64::MIN_POSITIVE.max(largest(dtype).recip());
    let size = (smallest.ln() + draw() * (largest(dtype).ln() - smallest.ln())).exp();
    let sign = if draw() < 0.5 { -1.0 } else { 1.0 };
    sign * size.min(largest(dtype))
}

/// The value of element `i` in step `t`: the extremes, held, alternating and in bursts, and any number, held and anew.
fn value(dtype: DType, port: &str, i: usize, t: usize) -> f64 {
    let most = largest(dtype);
    let seed =
        |t: usize| port.bytes().fold((i * 1000 + t) as u32, |seed, byte| seed.wrapping_mul(31) + u32::from(byte));
    let any = |t: usize| any_number(dtype, &mut Key::new(seed(t)).uniform_f32(2).into_iter());
    // Ports meet in all combinations.
    match (i + port.len()) % 8 {
        0 => most,
        1 => -most,
        2 => [most, -most][t % 2],
        3 => [most, 0.0, 0.0, -most, 0.0][t / 10 % 5],
        4 => most * (2.0 * f64::from(t as u32 % 101) / 100.0 - 1.0),
        5 => any(0),
        _ => any(t),
    }
}

#[test]
fn any_finite_input_keeps_states_and_outputs_finite() {
    for subject in subjects() {
        for dtype in [DType::F32, DType::F16, DType::BF16, DType::F64] {
            let subject = subject.clone().with("dtype", ConfigValue::DType(dtype));
            // Recovery over the default 800 steps is refused in eight bits.
            let subject =
                if dtype == DType::BF16 { subject.with("tau_rec", ConfigValue::Float(100.0)) } else { subject };
            let name = format!("{} of {} in {dtype}", subject.spec.name, subject.carried.name);
            // Weights a module holds itself are as large as what enters a module counts.
            let most = limit(dtype.elem()).min(largest(dtype));
            let kernel: Vec<f64> =
                (0..subject.size(Over::Synapses)).map(|i| value(dtype, "kernel", i, 0).clamp(-most, most)).collect();
            // The default passes may keep what a state tells in another form.
            let exact = Subject { options: Some(CompileOptions::exact()), ..subject.clone() };
            let [mut model, mut default] = [&exact, &subject].map(|subject| subject.build(&kernel, false));
            let drive = Drive { any: Some(value), dtype, ..Drive::new(0.5) };
            for t in 0..STEPS {
                let given: Vec<f64> = (0..kernel.len()).map(|i| value(dtype, "kernel", i, t)).collect();
                let outputs = subject.step(&mut model, &drive, t, &given);
                check(&format!("{name}, step {t}"), &model, &outputs);
                let outputs = subject.step(&mut default, &drive, t, &given);
                check_outputs(&format!("{name}, step {t}, default passes"), &outputs);
            }
        }
    }
}

#[track_caller]
fn check(what: &str, model: &Model, outputs: &Outputs) {
    for name in model.states() {
        let values = model.state(&name).unwrap().to_f64();
        assert!(values.iter().all(|x| x.is_finite()), "{what}: {name} is {values:?}");
    }
    check_outputs(what, outputs);
}

#[track_caller]
fn check_outputs(what: &str, outputs: &Outputs) {
    for (name, payload) in outputs.iter() {
        let values = payload.value().to_f64();
        assert!(values.iter().all(|x| x.is_finite()), "{what}: {name} is {values:?}");
    }
}

/// An input of ordinary size: held, alternating or in bursts.
fn ordinary(_: DType, port: &str, i: usize, t: usize) -> f64 {
    match (i + port.len()) % 4 {
        0 => 65.0,
        1 => -65.0,
        2 => [65.0, -65.0][t % 2],
        _ => [65.0, 0.0, 0.0, -65.0, 0.0][t / 10 % 5],
    }
}

#[test]
fn any_allowed_parameter_keeps_states_and_outputs_finite() {
    const EXTREMES: [f64; 8] = [-1e6, -50.0, 0.0, 1e-40, 0.3, 2.5, 1e3, 1e6];
    let mut found = Vec::new();
    let (mut accepted, mut refused) = (0, 0);
    for subject in subjects() {
        let subject = Subject { options: Some(CompileOptions::exact()), ..subject };
        let fields = (subject.spec.config)().fields.iter();
        for field in
            fields.filter(|field| ["Param", "f64", "Option<f64>"].contains(&field.type_name.replace(' ', "").as_str()))
        {
            for extreme in EXTREMES {
                let subject = subject.clone().with(field.name, ConfigValue::Float(extreme));
                let kernel = vec![0.5; subject.size(Over::Synapses)];
                let Ok(mut model) = subject.try_build(&kernel, false) else {
                    refused += 1;
                    continue;
                };
                accepted += 1;
                let drive = Drive { any: Some(ordinary), ..Drive::new(0.5) };
                for t in 0..STEPS {
                    let outputs = subject.step(&mut model, &drive, t, &kernel);
                    let states = model.states().into_iter().map(|name| (model.state(&name).unwrap().to_f64(), name));
                    let given = outputs.iter().map(|(name, payload)| (payload.value().to_f64(), name.to_string()));
                    let wrong = states.chain(given).find(|(values, _)| !values.iter().all(|x| x.is_finite()));
                    if let Some((_, state)) = wrong {
                        found.push(format!("{} with {} = {extreme}: {state}, step {t}", subject.spec.name, field.name));
                        break;
                    }
                }
            }
        }
    }
    println!("{accepted} parameters accepted, {refused} refused");
    assert!(accepted > 1000 && refused > 500, "{accepted} accepted, {refused} refused");
    assert!(found.is_empty(), "not finite:\n{}", found.join("\n"));
}

#[test]
fn a_feeding_back_rule_keeps_its_kernel_finite() {
    // The kernel of one step is that of the next, from the largest weights there are, under the largest third factors.
    for subject in subjects().into_iter().filter(|subject| subject.spec.output("kernel").is_some()) {
        for dtype in [DType::F32, DType::F16] {
            let subject = subject.clone().with("dtype", ConfigValue::DType(dtype));
            let mut model = subject.build(&[], false);
            let size = subject.size(Over::Synapses);
            let mut kernel: Vec<f64> = (0..size).map(|i| value(dtype, "kernel", i, 0)).collect();
            let drive = Drive { any: Some(value), dtype, ..Drive::new(0.5) };
            for t in 0..STEPS {
                let outputs = subject.step(&mut model, &drive, t, &kernel);
                check(&format!("{} in {dtype}, step {t}", subject.spec.name), &model, &outputs);
                kernel = outputs.get("kernel").unwrap().value().to_f64();
            }
        }
    }
}

/// Parameters of [`Summing`].
#[spark::config]
pub struct SummingConfig {}

/// A user's module that sums without end.
#[spark::module(category = "Test")]
pub struct Summing {
    #[config]
    config: SummingConfig,
    #[variable]
    sum: Real,
}

#[spark::module]
impl Summing {
    fn build(cx: &mut Build, config: SummingConfig) -> Result<Self> {
        Ok(Self { sum: cx.zeros(&cx.shape("x")?), config })
    }

    #[step(out = twice)]
    fn step(&mut self, x: FloatArray) -> FloatArray {
        self.sum += bounded(x.value());
        (2.0 * self.sum).into()
    }
}

#[test]
fn narrow_storage_saturates() {
    for eager in [false, true] {
        let config = SummingConfig::default().with_dtype(DType::F16);
        let mut model = Model::component(config).input("x", [2]).eager(eager).build().unwrap();
        let mut last = Vec::new();
        for _ in 0..5 {
            let inputs = [("x", HostPayload::from(array(&[2], vec![6e4, -6e4])))];
            last = model.step(&inputs).unwrap().get("twice").unwrap().value().to_f64();
        }
        assert_eq!(model.state("sum").unwrap().to_f64(), [65_504.0, -65_504.0]);
        assert_eq!(last, [65_504.0, -65_504.0]);
    }
}
