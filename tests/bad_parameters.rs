//! What is said of wrong parameters: every mistake at once, each with its place, value, unit and allowed range.

use spark::config::{ConfigTree, ConfigValue};
use spark::controller::BrainConfig;
use spark::prelude::*;
use spark::registry::Registry;

/// Delays, synapses, a soma and a rule, wired as in a `LIFNeuron`.
fn neuron(delays: &impl Config, synapses: &impl Config, soma: &impl Config, rule: &impl Config) -> NeuronConfig {
    let class = |config: ConfigTree| config.type_name.strip_suffix("Config").unwrap().to_owned();
    let delays = ModuleSpecs::new("delays", class(delays.to_tree()))
        .config(delays)
        .input("in_spikes", PortMap::output(PortMap::CALL, "in_spikes"));
    let synapses = ModuleSpecs::new("synapses", class(synapses.to_tree()))
        .config(synapses)
        .input("spikes", PortMap::output("delays", "out_spikes"))
        .effect("kernel", PortMap::output("rule", "kernel"));
    let soma = ModuleSpecs::new("soma", class(soma.to_tree()))
        .config(soma)
        .input("current", PortMap::output("synapses", "currents"))
        .output("out_spikes", "spikes");
    let rule = ModuleSpecs::new("rule", class(rule.to_tree()))
        .config(rule)
        .input("pre_spikes", PortMap::output("delays", "out_spikes"))
        .input("post_spikes", PortMap::output("soma", "spikes"))
        .input("kernel", PortMap::property("synapses", "kernel"));
    NeuronConfig::new([4], vec![delays, synapses, soma, rule])
}

/// A population as [`neuron`] has it, with linear synapses, a leaky soma and a Hebbian rule.
fn pool(name: &str, synapses: LinearSynapsesConfig, soma: LeakySomaConfig, rule: HebbianRuleConfig) -> ModuleSpecs {
    let config = neuron(&N2NDelaysConfig::new(4), &synapses, &soma, &rule);
    ModuleSpecs::new(name, "Neuron").config(&config)
}

/// A brain of two populations that read each other, and the first also the input `signal`.
fn brain(first: ModuleSpecs, second: ModuleSpecs) -> BrainConfig {
    let spiker = ModuleSpecs::new("spiker", "PoissonSpiker").input("signal", PortMap::output(PortMap::CALL, "signal"));
    let first = first
        .input("in_spikes", PortMap::output("spiker", "spikes"))
        .input("in_spikes", PortMap::output("second", "out_spikes"));
    let second = second.input("in_spikes", PortMap::output("first", "out_spikes")).output("out", "out_spikes");
    BrainConfig::new(vec![spiker, first, second])
}

#[track_caller]
fn brain_refuses(config: BrainConfig, expected: &str) {
    let Err(error) = Model::component(config).input("signal", [2]).build() else { panic!("built") };
    assert_eq!(error.to_string(), expected);
}

#[track_caller]
fn refuses(config: NeuronConfig, expected: &str) {
    let Err(error) = Model::component(config).input("in_spikes", [3]).build() else { panic!("built") };
    assert_eq!(error.to_string(), expected);
}

fn matrix(dims: &[usize]) -> Array {
    Array::zeros(Shape::units(dims), DType::F32)
}

#[test]
fn one_module_of_each_family_with_several_mistakes() {
    let delays = N2NDelaysConfig::new(4).with_max_delay(5.0).with_delays(vec![7.0; 12]);
    let synapses = TracedSynapsesConfig::new(4).with_kernel(matrix(&[4, 2])).with_tau(-5.0);
    let soma = AdaptiveLeakySomaConfig::default()
        .with_potential_tau(-20.0)
        .with_threshold(f64::NAN)
        .with_resistance(vec![0.1, 0.2])
        .with_cooldown(-1.0);
    let rule = HebbianRuleConfig::default().with_pre_tau(0.0).with_post_tau(vec![20.0; 7]);
    refuses(
        neuron(&delays, &synapses, &soma, &rule),
        "delays.delays: must lie between 0 and 5 steps, found 7\n  \
           help: max_delay is 5 ms, which is 5 steps of 1 ms\n\
         synapses.tau: must be positive, found -5 ms\n  help: Time constant of the decay.\n\
         synapses.kernel: an array of dimensions [4, 2] does not match the shape [units:4, pre:3]\n  \
           help: give one number, or an array of dimensions [4, 3]\n\
         soma.potential_tau: must be positive, found -20 ms\n  help: Membrane time constant.\n\
         soma.threshold: must be a number, found NaN mV\n  help: Potential above which the neuron spikes.\n\
         soma.cooldown: must be zero or positive, found -1 ms\n  help: Refractory period.\n\
         soma.resistance: an array of dimensions [2] does not match the shape [units:4]\n  \
           help: give one number, or an array of dimensions [4]\n\
         rule.pre_tau: must be positive, found 0 ms\n  help: Time constant of the presynaptic trace.\n\
         rule.post_tau: an array of dimensions [7] does not match the shape [units:4]\n  \
           help: give one number, or an array of dimensions [4]",
    );
}

#[test]
fn other_members_of_the_families() {
    let delays = NDelaysConfig::default().with_max_delay(-3.0).with_delays(vec![0.5, 1.0, 2.0]);
    let synapses = RFSTracedSynapsesConfig::new(4).with_alpha(1.5).with_tau_rise(vec![1.0, -2.0]);
    let soma = AdaptiveExponentialSomaConfig::default().with_spike_slope(0.0).with_adaptation_delta(vec![7.0; 5]);
    let rule = QuadrupletRuleConfig::default().with_pre_tau(f64::NAN);
    refuses(
        neuron(&delays, &synapses, &soma, &rule),
        "delays.max_delay: must be positive, found -3 ms\n  help: Longest delay.\n\
         delays.delays: must be whole steps, found 0.5\n  help: delays are given in time steps, not in ms\n\
         synapses.alpha: must lie between 0 and 1, found 1.5\n  \
           help: Weight of the fast decay against the slow one.\n\
         synapses.tau_rise: must be positive, found -2 ms at position 1\n  help: Time constant of the rise.\n\
         soma.spike_slope: must be positive, found 0 mV\n  help: Sharpness of the upstroke.\n\
         soma.adaptation_delta: an array of dimensions [5] does not match the shape [units:4]\n  \
           help: give one number, or an array of dimensions [4]\n\
         rule.pre_tau: must be a number, found NaN ms\n  help: Time constant of the presynaptic trace.\n\
         rule.modulation: nothing is connected to the input `modulation`",
    );
}

#[test]
fn lists_of_the_wrong_length() {
    let model = Model::component(
        QuadrupletRuleTensorConfig::default()
            .with_pre_tau(vec![1.0, -2.0])
            .with_q_alpha(vec![])
            .with_q_beta(vec![1.0; 5]),
    );
    let error =
        model.input("pre_spikes", [3]).input("post_spikes", [4]).input("kernel", [4, 3]).input("modulation", [1]);
    assert_eq!(
        error.build().err().unwrap().to_string(),
        "pre_tau: must be positive, found -2 ms at position 1\n  help: Time constants of the presynaptic trace.\n\
         q_alpha: must be 4 numbers, for synapses of type EE, EI, IE and II, found 0\n\
         q_beta: must be 4 numbers, for synapses of type EE, EI, IE and II, found 5"
    );
}

#[test]
fn drawn_numbers_are_checked() {
    let soma = LeakySomaConfig::default().with_potential_tau(Constant::default().with_scale(-2.0));
    let error = Model::component(soma).input("current", [4]).build().err().unwrap();
    assert_eq!(
        error.to_string(),
        "potential_tau: must be positive, found -2 ms at position 0, drawn by the initializer `ConstantInitializer`\n  \
           help: Membrane time constant."
    );
    let synapses = LinearSynapsesConfig::new(4).with_kernel(FixedIndegree::new(9).with_weight(vec![1.0, 2.0]));
    let error = Model::component(synapses).input("spikes", [3]).build().err().unwrap();
    assert_eq!(
        error.to_string(),
        "kernel.indegree: must be at most 3, the number of inputs, found 9\n  \
           help: with `multapses` neurons may be connected repeatedly"
    );
}

#[test]
fn a_module_that_cannot_be_built_does_not_hide_the_others() {
    let delays = N2NDelaysConfig::new(4).with_max_delay(1e9);
    let synapses = LinearSynapsesConfig::new(4);
    let soma = LeakySomaConfig::default().with_potential_tau(-1.0);
    let rule = OjaRuleConfig::default().with_post_tau(0.0);
    refuses(
        neuron(&delays, &synapses, &soma, &rule),
        "delays.max_delay: 1000000000 ms are 1000000000 steps of 1 ms; at most 65535 are possible\n  \
           help: use a shorter delay or a longer time step\n\
         soma.potential_tau: must be positive, found -1 ms\n  help: Membrane time constant.\n\
         rule.post_tau: must be positive, found 0 ms\n  help: Time constant of the postsynaptic trace.",
    );
}

#[test]
fn a_neurons_own_fields_wiring_and_modules_are_checked_together() {
    let soma = LeakySomaConfig::default().with_potential_tau(-1.0);
    let (delays, synapses) = (N2NDelaysConfig::new(4), LinearSynapsesConfig::new(4));
    let mut config = neuron(&delays, &synapses, &soma, &HebbianRuleConfig::default());
    config.inhibitory_rate = 3.0;
    config.modules_specs[2] = config.modules_specs[2].clone().output("out", "spike");
    refuses(
        config,
        "inhibitory_rate: must lie between 0 and 1, found 3\n  help: Share of inhibitory neurons.\n\
         soma.outputs.spike: LeakySoma has no output `spike`\n  help: did you mean `spikes`?\n\
         soma.potential_tau: must be positive, found -1 ms\n  help: Membrane time constant.",
    );
}

#[test]
fn two_neurons_of_a_brain_with_several_mistakes() {
    let synapses = LinearSynapsesConfig::new(4);
    let first = pool(
        "first",
        synapses.clone().with_kernel(matrix(&[4, 5])),
        LeakySomaConfig::default().with_potential_tau(-20.0).with_resistance(vec![0.1, 0.2]),
        HebbianRuleConfig::default(),
    );
    let second = pool(
        "second",
        synapses,
        LeakySomaConfig::default().with_threshold(f64::NAN),
        HebbianRuleConfig::default().with_post_tau(vec![20.0; 7]).with_pre_tau(0.0),
    );
    brain_refuses(
        brain(first, second),
        "first.synapses.kernel: an array of dimensions [4, 5] does not match the shape [units:4, pre:6]\n  \
           help: give one number, or an array of dimensions [4, 6]\n\
         first.soma.potential_tau: must be positive, found -20 ms\n  help: Membrane time constant.\n\
         first.soma.resistance: an array of dimensions [2] does not match the shape [units:4]\n  \
           help: give one number, or an array of dimensions [4]\n\
         second.soma.threshold: must be a number, found NaN mV\n  help: Potential above which the neuron spikes.\n\
         second.rule.pre_tau: must be positive, found 0 ms\n  help: Time constant of the presynaptic trace.\n\
         second.rule.post_tau: an array of dimensions [7] does not match the shape [units:4]\n  \
           help: give one number, or an array of dimensions [4]",
    );
}

#[test]
fn a_brains_own_fields_wiring_and_what_is_inside_are_checked_together() {
    let (synapses, soma, rule) =
        (LinearSynapsesConfig::new(4), LeakySomaConfig::default(), HebbianRuleConfig::default());
    let mut first = pool("first", synapses.clone(), soma.clone().with_potential_tau(-1.0), rule.clone());
    first.config = first.config.with("inhibitory_rate", ConfigValue::Float(3.0));
    let mut second = neuron(&N2NDelaysConfig::new(4), &synapses, &soma.with_threshold(f64::NAN), &rule);
    second.modules_specs[2] = second.modules_specs[2].clone().output("out", "spike");
    let second = ModuleSpecs::new("second", "Neuron").config(&second);
    let mut config = brain(first, second.input("inspikes", PortMap::output("spiker", "spikes")));
    config.dt = 0.0;
    brain_refuses(
        config,
        "dt: must be positive, found 0 ms\n  help: Time step.\n\
         first.inhibitory_rate: must lie between 0 and 1, found 3\n  help: Share of inhibitory neurons.\n\
         second.inputs.inspikes: Neuron has no input `inspikes`\n  help: did you mean `in_spikes`?\n\
         second.soma.outputs.spike: LeakySoma has no output `spike`\n  help: did you mean `spikes`?\n\
         first.soma.potential_tau: must be positive, found -1 ms\n  help: Membrane time constant.\n\
         second.soma.threshold: must be a number, found NaN mV\n  help: Potential above which the neuron spikes.",
    );
}

#[test]
fn a_neuron_that_cannot_be_built_does_not_hide_the_rest_of_a_brain() {
    let synapses = LinearSynapsesConfig::new(4);
    let soma = LeakySomaConfig::default();
    let delays = N2NDelaysConfig::new(4).with_max_delay(1e9);
    let first = neuron(&delays, &synapses, &soma.clone().with_potential_tau(-1.0), &HebbianRuleConfig::default());
    let second = pool(
        "second",
        synapses.with_kernel(matrix(&[4, 2])),
        soma.with_potential_tau(-2.0),
        HebbianRuleConfig::default(),
    );
    brain_refuses(
        brain(ModuleSpecs::new("first", "Neuron").config(&first), second),
        "first.delays.max_delay: 1000000000 ms are 1000000000 steps of 1 ms; at most 65535 are possible\n  \
           help: use a shorter delay or a longer time step\n\
         first.soma.potential_tau: must be positive, found -1 ms\n  help: Membrane time constant.\n\
         second.synapses.kernel: an array of dimensions [4, 2] does not match the shape [units:4, pre:4]\n  \
           help: give one number, or an array of dimensions [4, 4]\n\
         second.soma.potential_tau: must be positive, found -2 ms\n  help: Membrane time constant.",
    );
}

#[test]
fn what_relates_two_parameters_is_judged_if_both_are_right() {
    let refuses = |config: ConfigTree, inputs: &[(&str, usize)], expected: &str| {
        let model = inputs.iter().fold(Model::from_tree(config), |model, (port, size)| model.input(*port, [*size]));
        assert_eq!(model.build().err().unwrap().to_string(), expected);
    };
    let source = CurrentSourceConfig::new(2).with_onset(10.0).with_offset(5.0).with_dc(vec![1.0; 3]);
    refuses(
        source.to_tree(),
        &[],
        "dc: an array of dimensions [3] does not match the shape [units:2]\n  \
           help: give one number, or an array of dimensions [2]\n\
         offset: must not be before onset, 10 ms, found 5 ms",
    );
    refuses(
        TopologicalPoissonSpikerConfig::default().with_mins(vec![0.0; 3]).with_glue(vec![2.0, 0.0]).to_tree(),
        &[("signal", 2)],
        "glue: must be 0 or 1, found 2 at position 0\n  help: 1 where the ends of a dimension are glued together, 0 where not: one for all, or one per element of the signal.\n\
         mins: an array of dimensions [3] does not match the shape [units:2]\n  \
           help: give one number, or an array of dimensions [2]",
    );
}

#[test]
fn a_missing_input_does_not_hide_wrong_parameters() {
    let soma = LeakySomaConfig::default().with_potential_tau(-1.0);
    let (delays, synapses) = (N2NDelaysConfig::new(4), LinearSynapsesConfig::new(4));
    let config = neuron(&delays, &synapses, &soma, &HebbianRuleConfig::default());
    let message = Model::component(config).build().err().unwrap().to_string();
    assert!(message.contains("in_spikes"), "{message}");
    assert!(message.ends_with("soma.potential_tau: must be positive, found -1 ms\n  help: Membrane time constant."));
}

#[test]
fn a_value_of_the_wrong_type_counts_as_one_mistake() {
    let tree = LeakySomaConfig::default().to_tree().with("potential_tau", ConfigValue::Text("long".into()));
    let tree = tree.with("dtype", ConfigValue::Text("int32".into()));
    let error = Model::from_tree(tree).input("current", [2]).build().err().unwrap();
    assert_eq!(
        error.to_string(),
        "potential_tau: must be a number, an array or an initializer, found the string \"long\"\n\
         dtype: `int32` is not a floating-point type\n  help: float16, bfloat16, float32 and float64 are"
    );
}

#[test]
fn every_registered_module_refuses_all_its_checked_fields_at_once() {
    for spec in Registry::global().unwrap().modules.iter() {
        let fields = (spec.config)().fields;
        let checked: Vec<_> = fields.iter().filter(|field| !field.checks.is_empty()).collect();
        let tree = fields.iter().filter(|field| field.default.is_none());
        let mut tree = tree.fold(ConfigTree::new(""), |tree, field| tree.with(field.name, ConfigValue::Int(2)));
        for field in &checked {
            // One number for each that the field has by default.
            let wrong = match field.default.map(|make| make()) {
                Some(ConfigValue::List(items)) => ConfigValue::List(vec![ConfigValue::Float(f64::NAN); items.len()]),
                _ if field.type_name == "usize" => ConfigValue::Int(0),
                _ => ConfigValue::Float(f64::NAN),
            };
            tree = tree.with(field.name, wrong);
        }
        let Err(error) = (spec.validate)(&tree) else {
            assert!(checked.is_empty(), "{} accepts NaN", spec.name);
            continue;
        };
        let errors = error.errors();
        let paths: Vec<&str> = errors.iter().map(Error::path).collect();
        assert_eq!(paths, checked.iter().map(|field| field.name).collect::<Vec<_>>(), "{}", spec.name);
        for (error, field) in errors.iter().zip(checked) {
            let unit = field.units.filter(|unit| *unit != "1").map_or(String::new(), |unit| format!(" {unit}"));
            let message = match field.type_name {
                "usize" => "must be positive, found 0".to_owned(),
                _ => format!("must be a number, found NaN{unit}"),
            };
            assert!(error.message().starts_with(&message), "{}: {error}", spec.name);
        }
    }
}

/// Parameters of [`Careless`].
#[spark::config]
pub struct CarelessConfig {
    /// Time constant.
    #[param(default = 1.0, units = "ms", check = positive)]
    pub tau: Param,
    /// Factor.
    #[param(default = 1.0)]
    pub gain: Param,
}

/// A user's module whose author thought of no mistake.
#[spark::module(category = "Test")]
pub struct Careless {
    #[config]
    config: CarelessConfig,
    #[constant]
    decay: Real,
    #[constant]
    gain: Real,
}

#[spark::module]
impl Careless {
    fn build(cx: &mut Build, config: CarelessConfig) -> Result<Self> {
        let shape = cx.shape("x")?;
        let tau = cx.param("tau", &config.tau, &shape)?;
        let gain = cx.param("gain", &config.gain, &shape)?;
        Ok(Self { decay: (-cx.dt() / tau).exp(), gain, config })
    }

    #[step(out = y)]
    fn step(&mut self, x: FloatArray) -> FloatArray {
        (self.decay * self.gain * x).into()
    }
}

#[test]
fn a_users_module_reports_all_mistakes_without_doing_anything() {
    let config = CarelessConfig::default().with_tau(vec![1.0; 3]).with_gain(matrix(&[2, 2]));
    let error = Model::component(config).input("x", [2]).build().err().unwrap();
    assert_eq!(
        error.to_string(),
        "tau: an array of dimensions [3] does not match the shape [units:2]\n  \
           help: give one number, or an array of dimensions [2]\n\
         gain: an array of dimensions [2, 2] does not match the shape [units:2]\n  \
           help: give one number, or an array of dimensions [2]"
    );
}

/// What is said of a component that cannot be built for inputs of two elements.
fn refused(config: impl Config, port: &str) -> String {
    match Model::component(config).input(port, [2]).build() {
        Ok(_) => panic!("the module was built"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn sizes_beyond_memory_are_refused() {
    let kernel = FixedIndegree::new(100_000_000_000usize).with_multapses(true);
    let message = refused(LinearSynapsesConfig::new([3]).with_kernel(kernel), "spikes");
    assert!(message.contains("kernel") && message.contains("connections each are too many"), "{message}");

    let rates = Uniform { scale: 1e8, ..Uniform::default() };
    let config = PoissonSourceConfig::new([200_000]).with_rate(rates);
    let message = Model::component(config).build().map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("rate: ") && message.contains("too large tables"), "{message}");
}

#[test]
fn numbers_that_the_storage_type_cannot_hold_are_refused() {
    let kernel = LogNormal { mean: 100.0, std: 50.0, ..LogNormal::default() };
    let message = refused(LinearSynapsesConfig::new([3]).with_kernel(kernel), "spikes");
    assert!(message.contains("kernel: must be finite, found inf"), "{message}");

    let message = refused(ExponentialSomaConfig::default().with_potential_tau(1e-50), "current");
    assert!(message.contains("potential_tau") && message.contains("rounded to float32"), "{message}");
}

#[test]
fn parameters_that_mean_nothing_are_refused() {
    for (message, path, value) in [
        (refused(LeakySomaConfig::default().with_resistance(0.0), "current"), "resistance", "0 GΩ"),
        (refused(AdaptiveExponentialSomaConfig::default().with_resistance(-0.5), "current"), "resistance", "-0.5 GΩ"),
        (refused(IzhikevichSomaConfig::default().with_resistance(-1.0), "current"), "resistance", "-1 GΩ"),
        (
            refused(IzhikevichSomaConfig::default().with_recovery_timescale(-0.02), "current"),
            "recovery_timescale",
            "-0.02 1/ms",
        ),
        (refused(HodgkinHuxleySomaConfig::default().with_dt(1.0), "current"), "dt", "at most 0.1, found 1 ms"),
    ] {
        assert!(message.starts_with(&format!("{path}: must ")) && message.contains(value), "{message}");
    }
    assert!(Model::component(HodgkinHuxleySomaConfig::default().with_dt(0.1)).input("current", [2]).build().is_ok());
}

#[test]
fn limits_of_initializers_may_not_cross() {
    let crossing: [Param; 5] = [
        Uniform::default().with_min_value(2.0).with_max_value(1.0).into(),
        SparseUniform::default().with_min_value(2.0).with_max_value(1.0).into(),
        NormalizedSparseUniform::default().with_min_value(2.0).with_max_value(1.0).into(),
        Normal::default().with_min_value(2.0).with_max_value(1.0).into(),
        LogNormal::default().with_min_value(2.0).with_max_value(1.0).into(),
    ];
    for kernel in crossing {
        let message = refused(LinearSynapsesConfig::new([3]).with_kernel(kernel), "spikes");
        assert!(message.starts_with("kernel.max_value: must not be below min_value, 2, found 1"), "{message}");
    }
    let equal = Uniform::default().with_min_value(1.0).with_max_value(1.0);
    let config = LinearSynapsesConfig::new([3]).with_kernel(equal);
    let model = Model::component(config).input("spikes", [2]).build().unwrap();
    assert_eq!(model.state("kernel").unwrap().to_f64(), [1.0; 6]);
}

#[test]
fn recovery_that_rounding_would_lose_is_refused() {
    let config = || TsodyksMarkramSynapsesConfig::new([3]).with_dt(0.1).with_tau_rec(800.0);
    let message = refused(config().with_dtype(DType::F16), "spikes");
    assert!(message.starts_with("tau_rec: must be at most 2048 steps of 0.1 ms in f16, found 800 ms"), "{message}");
    assert!(Model::component(config()).input("spikes", [2]).build().is_ok());
}

/// Every field of every registered configuration of a module refuses what has another type, by its path. That is what the
/// check `type` of Spark's files stands for: reading makes it of every field, named or not.
#[test]
fn every_field_refuses_another_type() {
    let mut count = 0;
    for spec in Registry::global().unwrap().modules.iter() {
        for field in (spec.config)().fields {
            let tree = ConfigTree::new("").with(field.name, ConfigValue::Text("something else".into()));
            let error = (spec.validate)(&tree).unwrap_err();
            let about: Vec<String> =
                error.errors().iter().filter(|e| e.path() == field.name).map(Error::to_string).collect();
            let [message] = &about[..] else { panic!("{}.{}: {error}", spec.name, field.name) };
            let refused = message.contains("found") || message.contains("unsupported dtype `something else`");
            assert!(refused, "{}.{}: {message}", spec.name, field.name);
            count += 1;
        }
    }
    assert!(count > 300, "{count} fields");
}
