//! Short-term plasticity against the published recursion.

use spark::prelude::*;

/// Parameters of a synapse, in ms.
#[derive(Clone, Copy)]
struct Synapse {
    u: f64,
    tau_rec: f64,
    tau_facil: f64,
}

/// Tsodyks, Uziel, Markram (2000), figure 1: depressing and facilitating.
const DEPRESSING: Synapse = Synapse { u: 0.5, tau_rec: 800.0, tau_facil: 0.0 };
const FACILITATING: Synapse = Synapse { u: 0.15, tau_rec: 130.0, tau_facil: 530.0 };
/// Both at once.
const MIXED: Synapse = Synapse { u: 0.3, tau_rec: 200.0, tau_facil: 90.0 };

impl Synapse {
    fn config(self) -> TsodyksMarkramSynapsesConfig {
        let config = TsodyksMarkramSynapsesConfig::new([1]).with_kernel(1.0).with_tau_psc(0.0);
        config.with_u(self.u).with_tau_rec(self.tau_rec).with_tau_facil(self.tau_facil)
    }

    /// What a spike leaves of the facilitation after `interval` ms.
    fn facilitation(self, interval: f64) -> f64 {
        if self.tau_facil == 0.0 { 0.0 } else { (-interval / self.tau_facil).exp() }
    }

    /// Efficacies u·x of spikes at `times`, by the recursion of the literature from spike to spike.
    fn published(self, times: &[f64]) -> Vec<f64> {
        let (mut u, mut x) = (self.u, 1.0);
        let mut efficacies = vec![u * x];
        for pair in times.windows(2) {
            let interval = pair[1] - pair[0];
            x = 1.0 + (x - u * x - 1.0) * (-interval / self.tau_rec).exp();
            u = self.u + u * (1.0 - self.u) * self.facilitation(interval);
            efficacies.push(u * x);
        }
        efficacies
    }

    /// The efficacy that spikes at a constant rate come to: the recursion's fixed point.
    fn stationary(self, interval: f64) -> f64 {
        let recovered = (-interval / self.tau_rec).exp();
        let u = self.u / (1.0 - (1.0 - self.u) * self.facilitation(interval));
        u * (1.0 - recovered) / (1.0 - (1.0 - u) * recovered)
    }
}

/// Currents of one synapse of weight 1 in the steps of `times`, in ms.
fn currents(config: TsodyksMarkramSynapsesConfig, times: &[f64], dt: f64, dtype: DType, eager: bool) -> Vec<f64> {
    let builder = Model::component(config.with_dt(dt).with_dtype(dtype)).input("spikes", [1]).eager(eager);
    let mut model = builder.build().unwrap();
    let steps: Vec<usize> = times.iter().map(|time| (time / dt).round() as usize).collect();
    let mut found = Vec::new();
    for step in 0..=*steps.last().unwrap() {
        let spike = steps.contains(&step);
        let outputs = model.step(&[("spikes", vec![spike].into())]).unwrap();
        let current = outputs.get("currents").unwrap().value().to_f64()[0];
        assert!(spike || current == 0.0, "a current of {current} without a spike");
        found.extend(spike.then_some(current));
    }
    found
}

#[track_caller]
fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance * e.abs(), "value {i} is {f}, expected {e}");
    }
}

const IRREGULAR: [f64; 9] = [3.0, 10.0, 11.0, 30.0, 31.0, 32.0, 100.0, 500.0, 520.0];

#[test]
fn efficacies_are_those_of_the_published_recursion() {
    for synapse in [DEPRESSING, FACILITATING, MIXED] {
        let expected = synapse.published(&IRREGULAR);
        for eager in [false, true] {
            for dt in [1.0, 0.5] {
                near(&currents(synapse.config(), &IRREGULAR, dt, DType::F64, eager), &expected, 1e-12);
                near(&currents(synapse.config(), &IRREGULAR, dt, DType::F32, eager), &expected, 1e-5);
            }
        }
    }
}

#[test]
fn two_spikes_by_hand() {
    // U = 0.5 and no facilitation: the first releases half, the second half of what is left and of what recovered.
    let recovered = 0.5 * (1.0 - f64::exp(-20.0 / 800.0));
    near(&currents(DEPRESSING.config(), &[0.0, 20.0], 1.0, DType::F64, false), &[0.5, 0.5 * (0.5 + recovered)], 1e-12);
    // U = 0.15: the second raises what is left of the first one's utilisation.
    let faded = 0.15 * f64::exp(-10.0 / 530.0);
    let (raised, left) = (faded + 0.15 * (1.0 - faded), 1.0 - 0.15 * f64::exp(-10.0 / 130.0));
    near(&currents(FACILITATING.config(), &[0.0, 10.0], 1.0, DType::F64, false), &[0.15, raised * left], 1e-12);
}

#[test]
fn a_depressing_synapse_depresses_and_a_facilitating_one_facilitates() {
    let train: Vec<f64> = (0..6).map(|i| 20.0 * f64::from(i)).collect();
    let depressing = currents(DEPRESSING.config(), &train, 1.0, DType::F32, false);
    assert!(depressing.windows(2).all(|pair| pair[1] < pair[0]), "{depressing:?}");
    let facilitating = currents(FACILITATING.config(), &train, 1.0, DType::F32, false);
    assert!(facilitating[0] < facilitating[1] && facilitating[1] < facilitating[2], "{facilitating:?}");
}

#[test]
fn a_constant_rate_comes_to_its_stationary_efficacy() {
    for synapse in [DEPRESSING, FACILITATING, MIXED] {
        for interval in [5.0, 20.0, 100.0] {
            let train: Vec<f64> = (0..400).map(|i| interval * f64::from(i)).collect();
            let last = *currents(synapse.config(), &train, 1.0, DType::F32, false).last().unwrap();
            near(&[last], &[synapse.stationary(interval)], 1e-5);
        }
    }
    // At high rates a depressing synapse transmits as much per time at any rate.
    let per_ms = |interval: f64| DEPRESSING.stationary(interval) / interval;
    assert!((per_ms(1.0) / per_ms(2.0) - 1.0).abs() < 0.01);
}

#[test]
fn synapses_may_differ() {
    // One input to two neurons, with parameters per synapse; then two inputs to one neuron, with parameters per input.
    let train = [0.0, 10.0, 20.0];
    let both = [FACILITATING, MIXED];
    let expected = both.map(|synapse| synapse.published(&train));
    let list = |of: fn(&Synapse) -> f64| both.iter().map(of).collect::<Vec<f64>>();
    let per_synapse = |dims: &[usize], values: Vec<f64>| Array::new(Shape::units(dims), Data::F64(values)).unwrap();
    let config = TsodyksMarkramSynapsesConfig::new([2]).with_kernel(1.0).with_tau_psc(0.0);
    let config = config.with_u(per_synapse(&[2, 1], list(|s| s.u)));
    let config = config.with_tau_rec(per_synapse(&[2, 1], list(|s| s.tau_rec)));
    let config = config.with_tau_facil(per_synapse(&[2, 1], list(|s| s.tau_facil)));
    let mut model = Model::component(config).input("spikes", [1]).build().unwrap();
    for t in 0..=20 {
        let outputs = model.step(&[("spikes", vec![t % 10 == 0].into())]).unwrap();
        if t % 10 == 0 {
            let found = outputs.get("currents").unwrap().value().to_f64();
            near(&found, &[expected[0][t / 10], expected[1][t / 10]], 1e-5);
        }
    }
    assert_eq!(model.state("ru_tracer.resources").unwrap().dims(), [2, 1]);
    let config = TsodyksMarkramSynapsesConfig::new([1]).with_kernel(1.0).with_tau_psc(0.0);
    let config = config.with_u(list(|s| s.u)).with_tau_rec(list(|s| s.tau_rec)).with_tau_facil(list(|s| s.tau_facil));
    let mut model = Model::component(config).input("spikes", [2]).build().unwrap();
    for t in 0..=20 {
        let outputs = model.step(&[("spikes", vec![t % 10 == 0; 2].into())]).unwrap();
        if t % 10 == 0 {
            let found = outputs.get("currents").unwrap().value().to_f64();
            near(&found, &[expected[0][t / 10] + expected[1][t / 10]], 1e-5);
        }
    }
    assert_eq!(model.state("ru_tracer.resources").unwrap().dims(), [2]);
}

#[test]
fn spikes_over_synapses_have_their_own_resources() {
    // The second neuron's synapse gets each spike 3 ms later: the same currents, later.
    let config = MIXED.config();
    let config = TsodyksMarkramSynapsesConfig { units: [2].into(), ..config };
    let input = InputShape::new([2, 1]).asynchronous();
    let mut model = Model::component(config).input("spikes", input).build().unwrap();
    let times = [2usize, 7, 9];
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for t in 0..14 {
        let late = t >= 3 && times.contains(&(t - 3));
        let outputs = model.step(&[("spikes", vec![times.contains(&t), late].into())]).unwrap();
        let found = outputs.get("currents").unwrap().value().to_f64();
        first.push(found[0]);
        second.push(found[1]);
    }
    assert_eq!(first[..11], second[3..]);
    near(&[first[2], first[7], first[9]], &MIXED.published(&[2.0, 7.0, 9.0]), 1e-5);
}

#[test]
fn the_current_decays_and_inhibition_is_negative() {
    let config = TsodyksMarkramSynapsesConfig::new([1]).with_kernel(10.0).with_tau_psc(3.0);
    let mut model = Model::component(config).input("spikes", InputShape::new([1]).with_mask([1])).build().unwrap();
    let array = |value: bool| Array::full(Shape::units(&[1]), DType::Bool, f64::from(u8::from(value)));
    let mut found = Vec::new();
    for t in 0..4 {
        let spikes = HostPayload::spikes(array(t == 0), Some(array(true)));
        found.extend(model.step(&[("spikes", spikes)]).unwrap().get("currents").unwrap().value().to_f64());
    }
    let expected: Vec<f64> = (0..4).map(|t| -5.0 * (-f64::from(t) / 3.0).exp()).collect();
    near(&found, &expected, 1e-6);
}

#[test]
fn parameters_of_short_term_plasticity_are_checked() {
    let refused = |config: TsodyksMarkramSynapsesConfig| {
        Model::component(config).input("spikes", [1]).build().err().expect("is refused").to_string()
    };
    let base = || TsodyksMarkramSynapsesConfig::new([1]);
    for (config, named) in [
        (base().with_u(1.5), "U: must lie between 0 and 1, found 1.5"),
        (base().with_tau_rec(0.0), "tau_rec: must be positive, found 0 ms"),
        (base().with_tau_facil(-1.0), "tau_facil: must be zero or positive, found -1 ms"),
    ] {
        let message = refused(config);
        assert!(message.contains(named), "{message}");
    }
}

#[test]
fn resources_recover_in_half_precision() {
    let config = TsodyksMarkramSynapsesConfig::new([1]).with_kernel(100.0).with_tau_psc(0.0);
    let recovered = [DType::F32, DType::F16].map(|dtype| {
        let mut model = Model::component(config.clone()).input("spikes", [1]).dtype(dtype).build().unwrap();
        model.run(5, &[("spikes", vec![true].into())]).unwrap();
        let missing = |model: &Model| match (dtype, model.state("ru_tracer.resources").unwrap().to_f64()[0]) {
            (DType::F16, missing) => missing,
            (_, ready) => 1.0 - ready,
        };
        let after_spikes = missing(&model);
        let left = [800, 1600].map(|steps| {
            model.run(steps, &[("spikes", vec![false].into())]).unwrap();
            missing(&model)
        });
        // e⁻¹ after one time constant, e⁻³ after three, within what 800 roundings to 11 bits make of it.
        (after_spikes, left)
    });
    let [(_, single), (after_spikes, half)] = recovered;
    assert!((single[0] - after_spikes * f64::exp(-1.0)).abs() < 1e-3, "{single:?}");
    for (single, half) in single.iter().zip(half) {
        assert!(half < 1.6 * single && half > 0.6 * single, "{half} is missing in half precision, {single} in single");
    }
}
