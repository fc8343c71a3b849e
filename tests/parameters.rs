//! What parameters of modules mean at the edges: limits of stability, shapes where one side has one neuron, initializers of
//! delays, and what is said of those that are wrong.

use spark::payload::HostPayload;
use spark::prelude::*;

/// What is said of a model that cannot be built.
#[track_caller]
fn refused(config: impl Config, inputs: &[(&str, &[usize])]) -> String {
    let builder =
        inputs.iter().fold(Model::component(config), |builder, (port, dims)| builder.input(*port, dims.to_vec()));
    builder.build().err().expect("the model is refused").to_string()
}

fn array(dims: &[usize], values: &[f64]) -> Array {
    Array::new(Shape::of(Axis::anonymous(0), dims), Data::F64(values.to_vec())).unwrap()
}

#[test]
fn steps_that_diverge_are_refused() {
    let current: &[(&str, &[usize])] = &[("current", &[2])];
    let adaptive = AdaptiveExponentialSomaConfig::default;
    for (message, path, limit) in [
        (refused(adaptive().with_adaptation_tau(0.4), current), "adaptation_tau", "at least half a time step, 0.5 ms"),
        (refused(adaptive().with_adaptation_subthreshold(-30.0), current), "adaptation_subthreshold", "−1/resistance"),
        (refused(adaptive().with_adaptation_subthreshold(1e6), current), "adaptation_subthreshold", "too large"),
        (
            refused(AdaptiveCurrentLeakySomaConfig::default().with_adaptation_subthreshold(-50.0), current),
            "adaptation_subthreshold",
            "−1/resistance",
        ),
        (
            refused(IzhikevichSomaConfig::default().with_recovery_timescale(2.5), current),
            "recovery_timescale",
            "at most two per time step, 2/ms, found 2.5/ms",
        ),
        (
            refused(IzhikevichSomaConfig::default().with_recovery_sensitivity(-1e6), current),
            "recovery_sensitivity",
            "at least −1/(dt·resistance), found -1000000 nS",
        ),
        (
            refused(SimplifiedAdaptiveExponentialSomaConfig::default().with_potential_tau(0.2), current),
            "potential_tau",
            "at least half a time step, 0.5 ms",
        ),
        (
            refused(RefractoryExponentialSomaConfig::default().with_potential_tau(vec![5.0, 0.2]), current),
            "potential_tau",
            "found 0.2",
        ),
    ] {
        assert!(message.starts_with(&format!("{path}: ")) && message.contains(limit), "{message}");
    }
    // A shorter step is stable.
    let config = RefractoryExponentialSomaConfig::default().with_potential_tau(0.2).with_dt(0.1);
    assert!(Model::component(config).input("current", [2]).build().is_ok());
}

#[test]
fn numbers_without_a_reciprocal_are_refused() {
    let rule: &[(&str, &[usize])] = &[("pre_spikes", &[2]), ("post_spikes", &[2]), ("kernel", &[2, 2])];
    let gated = [rule, &[("modulation", &[1]), ("reward", &[1])]].concat();
    let gated = |without: &str| gated.iter().copied().filter(|(port, _)| *port != without).collect::<Vec<_>>();
    for (message, path) in [
        (refused(HebbianRuleConfig::default().with_pre_tau(1e-40), rule), "pre_tau"),
        (refused(OjaRuleConfig::default().with_post_tau(1e-40), rule), "post_tau"),
        (refused(QuadrupletRuleConfig::default().with_pre_tau(1e-40), &gated("reward")), "pre_tau"),
        (
            refused(AlphaConductanceSynapsesConfig::new([2]).with_tau_excitatory(1e-40), &[("spikes", &[2])]),
            "tau_excitatory",
        ),
    ] {
        assert!(message.starts_with(&format!("{path}: must be at least 3e-39 ms, found ")), "{message}");
    }
    let message = refused(ExponentialIntegratorConfig::new(1_usize).with_saturation_freq(1e-40), &[("spikes", &[2])]);
    assert!(message.contains("infinite"), "{message}");
}

#[test]
fn infinite_numbers_are_refused_unless_a_field_asks_for_them() {
    let rule: &[(&str, &[usize])] = &[("pre_spikes", &[2]), ("post_spikes", &[2]), ("kernel", &[2, 2])];
    let message = refused(HebbianRuleConfig::default().with_eta(f64::INFINITY), rule);
    assert!(message.starts_with("eta: must be finite, found inf"), "{message}");

    /// Parameters of nothing.
    #[spark::config(bare)]
    pub(crate) struct WideConfig {
        #[param(default = 0.0, check = spark::config::validate::checks::infinite)]
        pub(crate) end: f64,
    }
    assert!(WideConfig::default().with_end(f64::INFINITY).validate().is_ok());
    assert!(WideConfig::default().with_end(f64::NAN).validate().is_err());
}

#[test]
fn all_mistakes_of_interfaces_and_delays_at_once() {
    let map = array(&[3], &[0.0, 1.5, 0.0]);
    let config = ExponentialIntegratorConfig::new(9_usize).with_output_map(Some(map));
    let message = refused(config, &[("spikes", &[3])]);
    assert!(message.contains("num_outputs: ") && message.contains("output_map: "), "{message}");

    let config = N2NDelaysConfig::new([2]).with_max_delay(1e7).with_delays(vec![0.5, 1.0]);
    let message = refused(config, &[("in_spikes", &[1])]);
    assert!(message.contains("max_delay: ") && message.contains("delays: "), "{message}");

    let config = TopologicalPoissonSpikerConfig::default().with_resolution(1_usize << 25).with_maxs(0.0);
    let message = refused(config, &[("signal", &[1])]);
    assert!(message.contains("resolution: ") && message.contains("maxs: "), "{message}");
}

#[test]
fn an_initializer_of_delays_keeps_its_own_numbers() {
    let delays = |initializer: Param| -> Vec<f64> {
        let config = NDelaysConfig::default().with_delays(initializer);
        let mut model = Model::component(config).input("in_spikes", [64]).record("kernel").build().unwrap();
        let outputs = model.step(&[("in_spikes", vec![false; 64].into())]).unwrap();
        outputs.get("kernel").unwrap().value().to_f64()
    };
    assert_eq!(delays(Constant::default().with_scale(3.0).into()), [3.0; 64]);
    assert_eq!(delays(Constant::default().into()), [1.0; 64]);
    let range = |delays: &[f64]| {
        delays.iter().fold((f64::MAX, f64::MIN), |(least, most), delay| (least.min(*delay), most.max(*delay)))
    };
    assert_eq!(range(&delays(Uniform::default().into())), (1.0, 8.0));
    assert_eq!(range(&delays(Uniform::default().with_scale(4.0).into())), (1.0, 3.0));
    assert_eq!(range(&delays(Uniform::default().with_min_value(5.0).into())), (5.0, 8.0));
}

/// Delays are drawn as bytes where these can hold them; nobody can tell.
#[test]
fn drawn_delays_that_bytes_cannot_hold() {
    let config = |max_delay: f64, delay: f64| {
        NDelaysConfig::default().with_max_delay(max_delay).with_delays(Constant::default().with_scale(delay))
    };
    for (max_delay, delay) in [(255.0, 255.0), (256.0, 255.0), (256.0, 256.0), (1000.0, 300.0), (65_535.0, 65_535.0)] {
        let model = Model::component(config(max_delay, delay)).input("in_spikes", [3]).record("kernel");
        let outputs = model.build().unwrap().step(&[("in_spikes", vec![false; 3].into())]).unwrap();
        assert_eq!(outputs.get("kernel").unwrap().value().to_f64(), [delay; 3]);
    }
    for (max_delay, delay) in [(8.0, 9.0), (8.0, 300.0), (300.0, 70_000.0)] {
        let message = refused(config(max_delay, delay), &[("in_spikes", &[3])]);
        let expected = format!("delays: must lie between 0 and {max_delay} steps, found {delay}");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn parameters_of_synapses_may_differ_where_one_side_has_one_neuron() {
    let config = TsodyksMarkramSynapsesConfig::new([1]).with_tau_rec(array(&[1, 2], &[100.0, 800.0]));
    assert!(Model::component(config).input("spikes", [2]).build().is_ok());
    for (pre, post, dims) in [(3, 1, [1, 3]), (1, 3, [3, 1])] {
        let taus = array(&dims, &[10.0, 20.0, 30.0]);
        for config in [
            ThreeFactorHebbianRuleConfig::default().with_pre_tau(taus.clone()),
            ThreeFactorHebbianRuleConfig::default().with_post_tau(taus.clone()),
        ] {
            let builder = Model::component(config).input("pre_spikes", [pre]).input("post_spikes", [post]);
            let mut model = builder.input("kernel", [post, pre]).input("reward", [1]).build().unwrap();
            let spikes = |n: usize| HostPayload::from(vec![true; n]);
            let inputs = [
                ("pre_spikes", spikes(pre)),
                ("post_spikes", spikes(post)),
                ("kernel", array(&[post, pre], &[1.0; 3]).into()),
                ("reward", vec![1.0f32].into()),
            ];
            let kernel = model.step(&inputs).unwrap().get("kernel").unwrap().value().to_f64();
            assert!(kernel[0] > kernel[1] && kernel[1] > kernel[2], "{kernel:?}");
        }
    }
}

#[test]
fn a_soma_of_nests_kind_keeps_its_cooldown_with_a_reset_above_the_threshold() {
    let config = ExponentialPSCSomaConfig::default().with_potential_reset(-50.0).with_cooldown(4.0);
    let mut model = Model::component(config).input("current", [1]).build().unwrap();
    let fired = |_| model.step(&[("current", vec![1e5f32].into())]).unwrap().spikes("spikes").unwrap()[0];
    let times: Vec<i32> = (0..20).zip((0..20).map(fired)).filter(|(_, fired)| *fired).map(|(t, _)| t).collect();
    assert!(times.len() > 2 && times.windows(2).all(|pair| pair[1] - pair[0] == 5), "{times:?}");
}

#[test]
fn inputs_of_different_shapes_are_named() {
    let message = refused(ExponentialPSCSomaConfig::default(), &[("excitatory", &[3]), ("current", &[2])]);
    assert!(message.contains("`excitatory`") && message.contains("`current`"), "{message}");
    let message = refused(ConductanceLeakySomaConfig::default(), &[("excitatory", &[3]), ("inhibitory", &[2])]);
    assert!(message.contains("`excitatory`") && message.contains("`inhibitory`"), "{message}");
}

#[test]
fn the_time_constant_of_a_linear_spiker_is_named_if_it_is_too_long() {
    let signal: &[(&str, &[usize])] = &[("signal", &[2])];
    let message = refused(LinearSpikerConfig::default().with_tau(1e30), signal);
    assert!(message.starts_with("tau: ") && !message.contains("cd: "), "{message}");
    let message = refused(LinearSpikerConfig::default().with_cd(10.0), signal);
    assert!(message.starts_with("cd: "), "{message}");
}
