//! The host API, modules written by users, and what bad input is told.

use spark::config::{ConfigTree, ConfigValue};
use spark::prelude::*;

/// Parameters of [`Accumulator`].
#[spark::config]
pub struct AccumulatorConfig {
    /// Share kept per step.
    #[param(default = 0.5, check = zero_one)]
    pub keep: Param,
    /// Value above which it empties.
    #[param(default = 3.0, units = "mV")]
    pub limit: Param,
    /// How the emptied value is chosen.
    #[param(default = true)]
    pub to_zero: bool,
}

fn doubled(x: Real) -> Real {
    x * 2.0
}

/// A user's module: adds its input and empties when full.
#[spark::module(category = "Test")]
pub struct Accumulator {
    #[config]
    config: AccumulatorConfig,
    #[variable]
    total: Real,
    #[variable]
    emptied: Int,
    #[constant]
    keep: Real,
    #[constant]
    limit: Real,
}

#[spark::module]
impl Accumulator {
    fn build(cx: &mut Build, config: AccumulatorConfig) -> Result<Self> {
        let shape = cx.shape("input")?;
        Ok(Self {
            total: cx.zeros(&shape),
            emptied: cx.int_zeros(&shape),
            keep: cx.param("keep", &config.keep, &shape)?,
            limit: cx.param("limit", &config.limit, &shape)?,
            config,
        })
    }

    /// The sum now.
    #[property]
    fn total(&self) -> FloatArray {
        FloatArray::new(self.total)
    }

    #[property]
    fn set_total(&mut self, total: FloatArray) {
        self.total = total.value();
    }

    #[step(out = (full, amount))]
    fn step(&mut self, input: FloatArray, more: Vec<FloatArray>) -> (SpikeArray, FloatArray) {
        self.total = self.keep * self.total + input;
        for extra in more {
            self.total += doubled(extra.value());
        }
        let full = self.total > self.limit && self.total < 1000.0;
        let amount = if full { self.total } else { 0.0 };
        if full {
            self.emptied += 1;
            if self.config.to_zero {
                self.total *= 0.0;
            } else {
                self.total -= self.limit;
            }
        }
        (SpikeArray::new(full, None), amount.into())
    }
}

fn accumulator(eager: bool) -> Model {
    Model::component(AccumulatorConfig::default()).input("input", [3]).eager(eager).build().unwrap()
}

#[test]
fn a_users_module_runs_eager_and_compiled() {
    for eager in [true, false] {
        let mut model = accumulator(eager);
        let input = vec![1.0f32, 2.5, -1.0];
        let mut amounts = Vec::new();
        for _ in 0..4 {
            let outputs = model.step(&[("input", input.clone().into())]).unwrap();
            amounts.push(outputs.get("amount").unwrap().value().to_f64()[1]);
        }
        // 2.5, 1.25 + 2.5 = 3.75 (full, emptied), 2.5, 3.75
        assert_eq!(amounts, [0.0, 3.75, 0.0, 3.75], "eager: {eager}");
        assert_eq!(model.state("emptied").unwrap().to_i32(), [0, 2, 0]);
    }
}

#[test]
fn runs_reset_and_state_by_path() {
    for eager in [true, false] {
        let mut model = accumulator(eager);
        let input = [("input", HostPayload::from(vec![1.0f32; 3]))];
        model.run(3, &input).unwrap();
        assert_eq!(model.state("total").unwrap().to_f64(), [1.75; 3]);
        let value = Array::new(Shape::units(&[3]), Data::F64(vec![2.0, 4.0, 6.0])).unwrap();
        model.set_state("total", &value).unwrap();
        model.step(&input).unwrap();
        assert_eq!(model.state("total").unwrap().to_f64(), [2.0, 3.0, 0.0]);
        model.reset();
        assert_eq!(model.state("total").unwrap().to_f64(), [0.0; 3]);
        let outputs = model.step(&input).unwrap();
        assert_eq!(outputs.get("full").unwrap().value().to_bool(), [false; 3]);
        assert_eq!(model.states(), ["emptied", "total"]);
    }
}

#[test]
fn host_payloads_come_from_ndarray_and_give_views() {
    let current = spark_compiler_ndarray();
    let mut model =
        Model::component(LeakySomaConfig::default()).input("current", [2, 3]).record("potential").build().unwrap();
    let outputs = model.step(&[("current", current.into())]).unwrap();
    let potential = outputs.get("potential").unwrap().view::<f32>().unwrap();
    assert_eq!(potential.shape(), [2, 3]);
    assert!(potential[[1, 2]] > potential[[0, 0]]);
}

fn spark_compiler_ndarray() -> ndarray::Array2<f32> {
    ndarray::Array2::from_shape_fn((2, 3), |(i, j)| (i * 3 + j) as f32)
}

#[test]
fn the_four_storage_types_agree_roughly() {
    let run = |dtype: DType| {
        let builder = Model::component(LeakySomaConfig::default()).input("current", [4]).dtype(dtype);
        let mut model = builder.build().unwrap();
        let current = vec![10.0f32, 50.0, 100.0, 150.0];
        model.run(30, &[("current", current.into())]).unwrap();
        let potential = model.state("potential").unwrap();
        assert_eq!(potential.dtype(), dtype);
        potential.to_f64()
    };
    let exact = run(DType::F64);
    for (dtype, tolerance) in [(DType::F32, 1e-6), (DType::F16, 2e-2), (DType::BF16, 2e-1)] {
        for (found, expected) in run(dtype).iter().zip(&exact) {
            assert!((found - expected).abs() <= tolerance * expected.abs(), "{dtype}: {found} for {expected}");
        }
    }
}

/// The whole message of a failed build.
#[track_caller]
fn refused(builder: spark::model::ModelBuilder) -> String {
    match builder.build() {
        Ok(_) => panic!("was accepted"),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn contains(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in:\n{message}");
    }
}

#[test]
fn parameters_are_refused_with_path_value_unit_and_range() {
    let leaky = |field: &str, value: ConfigValue| {
        let tree = ConfigTree::new("LeakySomaConfig").with(field, value);
        refused(Model::from_tree(tree).input("current", [2]))
    };
    contains(&leaky("potential_tau", ConfigValue::Float(-20.0)), &["potential_tau", "positive", "-20", "ms"]);
    contains(&leaky("threshold", ConfigValue::Float(f64::NAN)), &["threshold", "NaN"]);
    contains(&leaky("potential_tua", ConfigValue::Float(1.0)), &["potential_tua", "potential_tau"]);
    contains(&leaky("threshold", ConfigValue::Text("high".into())), &["threshold", "number", "high"]);
    let five = Array::new(Shape::units(&[5]), Data::F64(vec![1.0; 5])).unwrap();
    contains(&leaky("resistance", ConfigValue::Array(five)), &["resistance", "[5]", "[2]"]);
    // All mistakes at once.
    let tree = ConfigTree::new("LeakySomaConfig")
        .with("potential_tau", ConfigValue::Float(0.0))
        .with("threshold", ConfigValue::Float(f64::NAN))
        .with("treshold", ConfigValue::Float(1.0));
    let message = refused(Model::from_tree(tree).input("current", [2]));
    contains(&message, &["potential_tau", "threshold", "treshold"]);
}

#[test]
fn unknown_types_and_ports_name_the_nearest() {
    contains(&refused(Model::from_tree(ConfigTree::new("LeakySomConfig"))), &["LeakySomConfig", "LeakySomaConfig"]);
    let soma = || Model::component(LeakySomaConfig::default());
    contains(&refused(soma()), &["current", "CurrentArray"]);
    contains(&refused(soma().input("curent", [2])), &["curent", "current"]);
    contains(&refused(soma().input("current", [0])), &["current", "at least 1"]);
    contains(&refused(soma().input("current", [1 << 20, 1 << 20])), &["current", "memory"]);
    contains(&refused(soma().input("current", [2]).record("potental")), &["potental", "potential"]);
    contains(&refused(soma().input("current", [2]).dtype(DType::I32)), &["floating-point"]);
}

#[test]
fn inputs_of_a_step_are_checked() {
    let mut model = Model::component(LeakySomaConfig::default()).input("current", [2]).build().unwrap();
    contains(&model.step(&[]).unwrap_err().to_string(), &["`current` was not given"]);
    contains(&model.step(&[("curent", vec![0f32; 2].into())]).unwrap_err().to_string(), &["curent", "current"]);
    contains(&model.step(&[("current", vec![0f32; 3].into())]).unwrap_err().to_string(), &["current", "2 values", "3"]);
    contains(&model.run(0, &[("current", vec![0f32; 2].into())]).unwrap_err().to_string(), &["0 steps"]);
    contains(&model.state("potental").unwrap_err().to_string(), &["potental", "potential"]);
    let three = Array::zeros(Shape::units(&[3]), DType::F32);
    contains(&model.set_state("potential", &three).unwrap_err().to_string(), &["potential", "2 values", "3"]);
    // After all of that it still runs.
    model.step(&[("current", vec![0f32; 2].into())]).unwrap();
}

#[test]
fn wiring_mistakes_are_all_reported() {
    let modules = vec![
        ModuleSpecs::new("soma", "LeakySoma")
            .input("curent", PortMap::output("synapse", "currents"))
            .output("out_spikes", "spike"),
        ModuleSpecs::new("synapses", "LinearSynapses")
            .input("spikes", PortMap::output(PortMap::CALL, "in_spikes"))
            .effect("kernal", PortMap::output("soma", "spikes")),
        ModuleSpecs::new("other", "NoSuchModule"),
    ];
    let config = NeuronConfig::new([4], modules);
    let message = refused(Model::component(config).input("in_spikes", [3]));
    contains(&message, &["synapse", "synapses", "curent", "current", "spike", "kernal", "kernel", "no_such_module"]);
}

#[test]
fn a_circle_within_a_neuron_is_explained() {
    let modules = vec![
        ModuleSpecs::new("first", "LeakySoma").input("current", PortMap::output("second", "currents")),
        ModuleSpecs::new("second", "LinearSynapses").input("spikes", PortMap::output("first", "spikes")),
    ];
    let message = refused(Model::component(NeuronConfig::new([4], modules)));
    contains(&message, &["first", "second", "circle", "brain"]);
}

#[test]
fn a_neuron_from_code_learns_and_records_inner_ports() {
    let mut modules = LIFNeuron::modules();
    let strong = LinearSynapsesConfig::new([5]).with_kernel(SparseUniform::default().with_scale(20_000.0));
    modules[1] = modules[1].clone().config(&strong);
    for module in &mut modules {
        module.config.values.shift_remove("seed");
    }
    let config = NeuronConfig::new([5], modules);
    let inputs = InputShape::new([7]).with_mask([7]);
    let builder = Model::component(config).input("in_spikes", inputs);
    let mut model = builder.record("synapses.currents").record("delays.out_spikes").build().unwrap();
    let before = model.state("synapses.kernel").unwrap();
    let mask = Array::zeros(Shape::of(Axis::PRE, &[7]), DType::Bool);
    for step in 0..60u8 {
        let spikes = Array::full(Shape::of(Axis::PRE, &[7]), DType::Bool, f64::from(step % 2));
        let outputs = model.step(&[("in_spikes", HostPayload::spikes(spikes, Some(mask.clone())))]).unwrap();
        assert_eq!(outputs.get("synapses.currents").unwrap().dims(), [5]);
        assert_eq!(outputs.get("delays.out_spikes").unwrap().dims(), [5, 7]);
    }
    assert_ne!(before, model.state("synapses.kernel").unwrap());
    // Seeds that were not given differ between modules.
    let seeds: Vec<_> = model.root().children().iter().map(|(_, m)| m.config().get("seed").cloned()).collect();
    assert!(seeds.iter().all(|seed| seeds.iter().filter(|other| *other == seed).count() == 1), "{seeds:?}");
}

#[test]
fn a_shape_mistake_in_a_body_points_at_its_line() {
    /// Nothing to set.
    #[spark::config]
    struct MismatchConfig {
        /// Unused.
        #[param(default = 1.0)]
        pub unused: f64,
    }

    /// Adds what does not fit.
    #[spark::module(category = "Test")]
    struct Mismatch {
        #[config]
        config: MismatchConfig,
        #[variable]
        state: Real,
    }

    #[spark::module]
    impl Mismatch {
        fn build(cx: &mut Build, config: MismatchConfig) -> Result<Self> {
            Ok(Self { state: cx.zeros(&Shape::units(&[3])), config })
        }

        #[step(out = sum)]
        fn step(&mut self, input: FloatArray) -> FloatArray {
            (self.state + input.value()).into()
        }
    }

    let message = refused(Model::component(MismatchConfig::default()).input("input", [2]));
    contains(&message, &["units", "3", "2", "models.rs"]);
}

#[test]
fn delays_outside_the_range_are_refused() {
    let delays = |values: Vec<f64>| {
        let array = Array::new(Shape::units(&[1, 2]), Data::F64(values)).unwrap();
        let config = N2NDelaysConfig::new([1]).with_delays(array).with_max_delay(4.0);
        Model::component(config).input("in_spikes", [2])
    };
    contains(&refused(delays(vec![1.0, 5.0])), &["delays", "5", "between 0 and 4 steps", "4 ms"]);
    contains(&refused(delays(vec![1.0, -1.0])), &["delays", "-1"]);
    assert!(delays(vec![0.0, 4.0]).build().is_ok());
}

#[test]
fn values_of_inputs_are_checked() {
    let mut model = Model::component(LeakySomaConfig::default()).input("current", [2, 3]).build().unwrap();
    let mut message = |payload: HostPayload| model.set_input("current", &payload).unwrap_err().to_string();
    let array = |dims: &[usize], data: Data| Array::new(Shape::units(dims), data).unwrap();
    contains(&message(array(&[3, 2], Data::F32(vec![0.0; 6])).into()), &["current", "[2, 3]", "[3, 2]"]);
    contains(&message(vec![0.0, 0.0, f32::NAN, 0.0, 0.0, 0.0].into()), &["current", "value 2", "NaN"]);
    contains(&message(vec![0.0, 1e300, 0.0, 0.0, 0.0, 0.0].into()), &["current", "value 1", "1e300", "float32"]);
    let mask = array(&[2, 3], Data::Bool(vec![true; 6]));
    contains(&message(HostPayload::spikes(array(&[2, 3], Data::F32(vec![0.0; 6])), Some(mask))), &["inhibition mask"]);
    model.set_input("current", &vec![0.0f32; 6].into()).unwrap();

    let twice = [("current", vec![0.0f32; 6].into()), ("current", vec![1.0f32; 6].into())];
    contains(&model.step(&twice).unwrap_err().to_string(), &["current", "twice"]);

    let config = LinearSynapsesConfig::new([1]);
    let mut model = Model::component(config).input("spikes", [2]).build().unwrap();
    let message = model.set_input("spikes", &vec![0.0f32, 2.5].into()).unwrap_err().to_string();
    contains(&message, &["spikes", "value 1", "2.5"]);
    let masked = InputShape::new([2]).with_mask([2]);
    contains(&refused(Model::component(LeakySomaConfig::default()).input("current", masked)), &["CurrentArray"]);
}

#[test]
fn spikes_without_a_mask_are_excitatory_whatever_came_before() {
    for eager in [false, true] {
        let kernel = Array::full(Shape::units(&[1, 2]), DType::F32, 1.0);
        let config = LinearSynapsesConfig::new([1]).with_kernel(kernel);
        let shape = InputShape::new([2]).with_mask([2]);
        let mut model = Model::component(config).input("spikes", shape).eager(eager).build().unwrap();
        let spikes = Array::full(Shape::units(&[2]), DType::Bool, 1.0);
        let mut current = |mask: Option<f64>| {
            let mask = mask.map(|m| Array::full(Shape::units(&[2]), DType::Bool, m));
            let outputs = model.step(&[("spikes", HostPayload::spikes(spikes.clone(), mask))]).unwrap();
            outputs.get("currents").unwrap().value().to_f64()[0]
        };
        assert_eq!([current(None), current(Some(1.0)), current(None)], [2.0, -2.0, 2.0], "eager: {eager}");
    }
}

#[test]
fn delays_are_whole_steps_within_bounds_and_longer_than_a_byte() {
    let delay = |steps: f64, longest: f64, wrap: bool| {
        let config = N2NDelaysConfig::new([1]).with_delays(steps).with_max_delay(longest).with_wrap(wrap);
        Model::component(config).input("in_spikes", [1])
    };
    contains(&refused(delay(1.9, 4.0, false)), &["delays", "1.9", "whole"]);
    contains(&refused(delay(1.0, 4_294_967_296.0, true)), &["max_delay", "65535"]);
    contains(&refused(delay(1.0, 1e308, false)), &["max_delay", "65535"]);
    let mut model = delay(300.0, 60_000.0, false).build().unwrap();
    let arrives = (0..400).find(|&t| {
        let outputs = model.step(&[("in_spikes", vec![t == 0].into())]).unwrap();
        outputs.spikes("out_spikes").unwrap()[0]
    });
    assert_eq!(arrives, Some(300));
    // The history is as long as the longest delay, not as the longest one possible.
    assert!(model.lowered().unwrap().bytes() < 100_000);
}

#[test]
fn sizes_and_types_that_cannot_be_are_refused_before_memory_is_taken() {
    let tree = ConfigTree::new("LIFNeuronConfig").with("units", ConfigValue::List(vec![ConfigValue::Int(1 << 40)]));
    contains(&refused(Model::from_tree(tree).input("in_spikes", [1])), &["units", "too many"]);
    let config = LinearSynapsesConfig::new([1 << 20]);
    contains(&refused(Model::component(config).input("spikes", [1 << 20])), &["kernel", "too many"]);
    for module in ["LeakySomaConfig", "LinearSynapsesConfig"] {
        let tree = ConfigTree::new(module).with("dtype", ConfigValue::DType(DType::U8));
        let tree = if module.starts_with("Lin") { tree.with("units", ConfigValue::Int(1)) } else { tree };
        let port = if module.starts_with("Lin") { "spikes" } else { "current" };
        contains(&refused(Model::from_tree(tree).input(port, [1])), &["dtype", "uint8", "float32"]);
    }
}

/// Two accumulators that exchange totals, and one fed from outside through an effect.
fn exchanging() -> NeuronConfig {
    let module = |name: &str, from: &str| {
        ModuleSpecs::new(name, "Accumulator")
            .input("input", PortMap::output(PortMap::CALL, "input"))
            .output(format!("{name}_amount"), "amount")
            .effect("total", PortMap::property(from, "total"))
            .config(&AccumulatorConfig::default().with_keep(1.0).with_limit(1e9))
    };
    NeuronConfig::new([1], vec![module("a", "b"), module("b", "a")])
}

#[test]
fn effects_read_every_source_before_anything_is_set() {
    for eager in [false, true] {
        let mut model = Model::component(exchanging()).input("input", [1]).eager(eager).build().unwrap();
        let one = |x: f64| Array::full(Shape::units(&[1]), DType::F32, x);
        model.set_state("a.total", &one(1.0)).unwrap();
        model.set_state("b.total", &one(2.0)).unwrap();
        model.step(&[("input", vec![0.0f32].into())]).unwrap();
        let totals = ["a.total", "b.total"].map(|path| model.state(path).unwrap().to_f64()[0]);
        assert_eq!(totals, [2.0, 1.0], "eager: {eager}");
    }
}

#[test]
fn an_effect_may_come_from_outside() {
    let mut config = exchanging();
    config.modules_specs.remove(1);
    config.modules_specs[0].effects["total"] = vec![PortMap::output(PortMap::CALL, "set")];
    let mut model = Model::component(config).input("input", [1]).input("set", [1]).build().unwrap();
    model.step(&[("input", vec![5.0f32].into()), ("set", vec![7.0f32].into())]).unwrap();
    assert_eq!(model.state("a.total").unwrap().to_f64(), [7.0]);
}

#[test]
fn two_modules_cannot_provide_one_output() {
    let mut config = exchanging();
    for module in &mut config.modules_specs {
        module.outputs = [("amount".to_string(), "amount".to_string())].into_iter().collect();
    }
    contains(&refused(Model::component(config).input("input", [1])), &["`a`", "`b`", "amount"]);
    contains(&refused(Model::component(NeuronConfig::new([1], Vec::new()))), &["at least one module"]);
}

#[test]
fn a_mistake_inside_a_neuron_names_the_module() {
    let mut modules = LIFNeuron::modules();
    modules[2] = modules[2].clone().input("current", PortMap::output("synapses", "currents"));
    let message = refused(Model::component(NeuronConfig::new([3], modules)).input("in_spikes", [2]));
    contains(&message, &["hebbian_rule", "units", "6", "3"]);
}

/// Counts with a field called `step` and draws random numbers beside it.
#[spark::config]
pub struct CountedConfig {
    /// First number.
    #[param(default = 100.0)]
    pub first: f64,
}

/// A field called as the step counter might be.
#[spark::module(category = "Test")]
pub struct Counted {
    #[config]
    config: CountedConfig,
    #[variable]
    step: Int,
    #[host]
    noise: RandomStream,
}

#[spark::module]
impl Counted {
    fn build(cx: &mut Build, config: CountedConfig) -> Result<Self> {
        let noise = RandomStream::new(cx.key());
        Ok(Self { step: Int::from(config.first as i32), noise, config })
    }

    #[step(out = noise)]
    fn advance(&mut self, input: FloatArray) -> FloatArray {
        self.step += 2;
        self.noise.uniform(&input.shape()).into()
    }
}

#[test]
fn a_field_called_step_is_not_the_step_counter() {
    let run = |eager: bool| {
        let mut model = Model::component(CountedConfig::default()).input("input", [4]).eager(eager).build().unwrap();
        let mut draws = Vec::new();
        for _ in 0..3 {
            let outputs = model.step(&[("input", vec![0.0f32; 4].into())]).unwrap();
            draws.push(outputs.get("noise").unwrap().value().to_f32());
        }
        assert_eq!(model.state("step").unwrap().to_i32(), [106]);
        draws
    };
    let draws = run(false);
    assert_eq!(draws, run(true));
    assert_ne!(draws[0], draws[1]);
}

#[test]
fn a_model_may_move_to_another_thread() {
    let mut model = accumulator(false);
    let total = std::thread::spawn(move || {
        model.run(2, &[("input", vec![1.0f32; 3].into())]).unwrap();
        model.state("total").unwrap().to_f64()
    });
    assert_eq!(total.join().unwrap(), [1.5; 3]);
}
