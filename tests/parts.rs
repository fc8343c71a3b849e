//! Parts that modules hold: generic ones, and those whose fields count as the module's own.

use spark::prelude::*;

/// Two parts of one kind, and what they have in common.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct Pair<K> {
    #[module]
    fast: K,
    #[module]
    slow: K,
    #[variable]
    sum: Real,
}

#[spark::traced]
impl<K: Kinetics> Pair<K> {
    fn new(cx: &Build, shape: &Shape) -> Pair<K> {
        let [fast, slow] = [2.0, 10.0].map(|tau| K::at_rest(cx, shape, cx.number(tau)));
        Pair { fast, slow, sum: cx.zeros(shape) }
    }

    fn update(&mut self, input: Real) -> Real {
        let difference = self.slow.advance(input) - self.fast.advance(input);
        if difference > 0.0 {
            self.sum += difference;
        }
        self.sum
    }
}

/// Parameters of [`Pairing`].
#[spark::config]
pub struct PairingConfig {}

/// Holds one pair under its name and one flattened.
#[spark::module(category = "Test")]
pub struct Pairing {
    #[config]
    config: PairingConfig,
    #[module]
    named: Pair<AlphaTracer>,
    #[module(flatten)]
    own: Pair<Tracer>,
}

#[spark::module]
impl Pairing {
    fn build(cx: &mut Build, config: PairingConfig) -> Result<Self> {
        let shape = cx.shape("x")?;
        Ok(Self { named: Pair::new(cx, &shape), own: Pair::new(cx, &shape), config })
    }

    /// * `named`: The first pair's sum,
    ///   on two lines.
    /// * `own`: The second pair's.
    #[step(out = (named, own))]
    fn step(&mut self, x: FloatArray) -> (FloatArray, FloatArray) {
        // A traced `if` may change parts whatever they are made of.
        if x.value() > 0.5 {
            let _ = self.own.update(x.value());
        }
        (self.named.update(x.value()).into(), self.own.sum.into())
    }
}

#[test]
fn a_flattened_part_has_no_name_in_states() {
    let model = Model::component(PairingConfig::default()).input("x", [2]).build().unwrap();
    let expected = [
        ["named.fast.trace", "named.fast.rise", "named.slow.trace", "named.slow.rise", "named.sum"].to_vec(),
        ["fast.trace", "slow.trace", "sum"].to_vec(),
    ];
    let mut expected = expected.concat();
    let mut states = model.states();
    expected.sort();
    states.sort();
    assert_eq!(states, expected);
}

#[test]
fn a_traced_if_selects_what_is_inside_a_generic_part() {
    let sums = [false, true].map(|eager| {
        let mut model = Model::component(PairingConfig::default()).input("x", [2]).eager(eager).build().unwrap();
        let outputs = model.run(3, &[("x", vec![1.0f32, 0.2].into())]).unwrap();
        outputs.get("own").unwrap().value().to_f64()
    });
    assert_eq!(sums[0], sums[1]);
    let [above, below] = sums[0][..] else { panic!("two elements") };
    // What x does not exceed half is as it was.
    assert!(above > 0.0 && below == 0.0, "{sums:?}");
}

#[test]
fn outputs_have_their_items_of_the_documentation() {
    let spec = spark::registry::Registry::global().unwrap().modules.get("Pairing").unwrap();
    let about = ["named", "own"].map(|port| spec.output(port).unwrap().description);
    assert_eq!(about, ["The first pair's sum,\n  on two lines.", "The second pair's."]);
}

/// Parameters of [`Twice`].
#[spark::config]
pub struct TwiceConfig {}

/// Two fields of one name, by way of a part.
#[spark::module(category = "Test")]
pub struct Twice {
    #[config]
    config: TwiceConfig,
    #[variable]
    trace: Real,
    #[module(flatten)]
    tracer: Tracer,
}

#[spark::module]
impl Twice {
    fn build(cx: &mut Build, config: TwiceConfig) -> Result<Self> {
        let shape = cx.shape("x")?;
        let tracer = Tracer::unscaled(cx, &shape, cx.number(5.0));
        Ok(Self { trace: cx.zeros(&shape), tracer, config })
    }

    #[step(out = y)]
    fn step(&mut self, x: FloatArray) -> FloatArray {
        self.trace = x.value();
        self.tracer.update(self.trace).into()
    }
}

#[test]
fn fields_of_one_name_are_refused() {
    let error = Model::component(TwiceConfig::default()).input("x", [2]).build().err().unwrap().to_string();
    assert_eq!(error, "Twice has two fields called `trace`\n  help: rename one, or hold its part without `flatten`");
}
