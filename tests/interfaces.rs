//! How interfaces behave: rest, rates, statistics, signs of spikes, extreme input, and what bad parameters are told.

use spark::config::{Config, ConfigTree};
use spark::model::InputShape;
use spark::prelude::*;

fn host(values: &[f64]) -> HostPayload {
    HostPayload::from(values.to_vec())
}

fn bools(values: &[bool]) -> Array {
    Array::new(Shape::units(&[values.len()]), Data::Bool(values.to_vec())).unwrap()
}

/// A spiker for `units` signals.
#[track_caller]
fn spiker(config: impl Config, units: usize) -> Model {
    Model::component(config).input("signal", [units]).build().unwrap_or_else(|e| panic!("{e}"))
}

/// The spikes of `steps` steps of the same signal, one list per step.
#[track_caller]
fn spikes(model: &mut Model, signal: &[f64], steps: usize) -> Vec<Vec<bool>> {
    let input = [("signal", host(signal))];
    (0..steps).map(|_| model.step(&input).unwrap().spikes("spikes").unwrap()).collect()
}

/// The output `port` of a source, all units of all steps.
#[track_caller]
fn source(config: impl Config, port: &str, steps: usize) -> Vec<f64> {
    let mut model = Model::component(config).build().unwrap_or_else(|e| panic!("{e}"));
    (0..steps).flat_map(|_| model.step(&[]).unwrap().get(port).unwrap().value().to_f64()).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64
}

/// Steps between neighbouring spikes of one unit.
fn intervals(spikes: impl Iterator<Item = bool>) -> Vec<usize> {
    let times: Vec<usize> = spikes.enumerate().filter(|(_, spike)| *spike).map(|(t, _)| t).collect();
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn silent_input_stays_at_rest() {
    let silent = |spikes: Vec<Vec<bool>>| assert!(!spikes.concat().contains(&true));
    silent(spikes(&mut spiker(PoissonSpikerConfig::default(), 9), &[0.0; 9], 200));
    let mut linear = spiker(LinearSpikerConfig::default(), 9);
    silent(spikes(&mut linear, &[0.0; 9], 200));
    assert_eq!(linear.state("potential").unwrap().to_f64(), [0.0; 9]);
    let mut integrator =
        Model::component(ExponentialIntegratorConfig::new(3_usize)).input("spikes", [9]).build().unwrap();
    let outputs = integrator.run(50, &[("spikes", bools(&[false; 9]).into())]).unwrap();
    assert_eq!(outputs.get("signal").unwrap().value().to_f64(), [0.0; 3]);
    for port in ["spikes", "counts", "currents"] {
        assert_eq!(source(PoissonSourceConfig::new(9).with_rate(0.0), port, 100), [0.0; 900]);
    }
    assert_eq!(source(CurrentSourceConfig::new(9), "currents", 20), [0.0; 180]);
}

#[test]
fn poisson_spikers_fire_at_the_rate_they_are_told() {
    const UNITS: usize = 500;
    for dt in [0.5, 1.0, 2.0] {
        for signal in [0.1, 0.5, 1.0] {
            let config = PoissonSpikerConfig::default().with_max_freq(80.0).with_dt(dt).with_seed(5_u32);
            let steps = (1000.0 / dt) as usize;
            let count = spikes(&mut spiker(config, UNITS), &[signal; UNITS], steps).concat();
            let count = count.into_iter().filter(|&spike| spike).count() as f64;
            let expected = 80.0 * signal * UNITS as f64;
            assert!((count - expected).abs() < 4.0 * expected.sqrt(), "dt {dt}: {count} spikes, {expected} expected");
        }
    }
}

#[test]
fn linear_spikers_fire_at_max_freq_for_a_signal_of_one() {
    for dt in [0.5, 1.0, 2.0] {
        for max_freq in [20.0, 64.0, 100.0] {
            let config = LinearSpikerConfig::default().with_max_freq(max_freq).with_dt(dt);
            let all = spikes(&mut spiker(config, 1), &[1.0], 2000);
            let found = intervals(all.iter().map(|spikes| spikes[0]));
            assert!(found.len() > 10 && found.iter().all(|&n| n == found[0]), "the intervals differ");
            let (interval, exact) = (found[0] as f64 * dt, 1000.0 / max_freq);
            assert!(exact <= interval && interval <= exact + dt, "dt {dt}: {interval} ms, {exact} ms expected");

            // In the middle of the range the middle unit is driven by 1.
            let config = TopologicalLinearSpikerConfig::default().with_max_freq(max_freq).with_dt(dt);
            let all = spikes(&mut spiker(config.with_resolution(3_usize), 1), &[0.5], 2000);
            assert_eq!(intervals(all.iter().map(|spikes| spikes[1])), found);
        }
    }
}

#[test]
fn less_signal_is_fewer_spikes() {
    let signal: Vec<f64> = (0..=20).map(|i| f64::from(i) / 20.0).collect();
    for all in [
        spikes(&mut spiker(LinearSpikerConfig::default(), 21), &signal, 3000),
        spikes(&mut spiker(LinearSpikerConfig::default().with_tau(10.0), 21), &signal, 3000),
    ] {
        let counts: Vec<usize> = (0..21).map(|i| all.iter().filter(|spikes| spikes[i]).count()).collect();
        assert!(counts[0] == 0 && counts.is_sorted() && counts[20] > 200, "{counts:?}");
    }
}

#[test]
fn topological_spikers_tile_their_range() {
    // The signal's place is where most spikes are; glued ends are one place.
    for (signal, glue, place) in [(-1.0, 0, 0), (0.0, 0, 8), (1.0, 0, 16), (-0.5, 0, 4), (0.5, 1, 4), (-1.0, 1, 0)] {
        let config = TopologicalPoissonSpikerConfig::default().with_resolution(17_usize).with_mins(-1.0);
        let all = spikes(&mut spiker(config.with_glue(glue), 1), &[signal], 4000);
        let counts: Vec<usize> = (0..17).map(|i| all.iter().filter(|spikes| spikes[i]).count()).collect();
        let most = *counts.iter().max().unwrap() as f64;
        assert!(counts[place] as f64 > 0.8 * most, "signal {signal}, glue {glue}: {counts:?}");
        assert_eq!(counts[16] as f64 > 0.8 * most, place == 16 || glue == 1 && place == 0, "{counts:?}");
    }
}

#[test]
fn signals_of_several_dimensions_keep_their_places() {
    let config = TopologicalLinearSpikerConfig::default().with_resolution(5_usize);
    let mut grid = Model::component(config.clone()).input("signal", [2, 3]).build().unwrap();
    let mut list = spiker(config, 6);
    let signal: Vec<f64> = (0..6).map(|i| f64::from(i) / 5.0).collect();
    for _ in 0..40 {
        let outputs = grid.step(&[("signal", host(&signal))]).unwrap();
        assert_eq!(outputs.get("spikes").unwrap().dims(), [2, 3, 5]);
        assert_eq!(outputs.spikes("spikes").unwrap(), spikes(&mut list, &signal, 1)[0]);
    }
}

#[test]
fn permuted_signals_give_permuted_spikes() {
    let signal: Vec<f64> = (0..7).map(|i| f64::from(i) / 6.0).collect();
    let reversed: Vec<f64> = signal.iter().rev().copied().collect();
    let straight = spikes(&mut spiker(LinearSpikerConfig::default(), 7), &signal, 300);
    let mut backwards = spikes(&mut spiker(LinearSpikerConfig::default(), 7), &reversed, 300);
    backwards.iter_mut().for_each(|spikes| spikes.reverse());
    assert_eq!(straight, backwards);
}

#[test]
fn an_integrator_counts_the_spikes_of_each_group_whatever_their_order_and_sign() {
    let map = Array::new(Shape::units(&[6]), Data::I32(vec![1, 0, 1, 1, 0, 2])).unwrap();
    let config = ExponentialIntegratorConfig::new(3_usize).with_output_map(map).with_smooth_trace(false);
    let mut model = Model::component(config).input("spikes", InputShape::new([6]).with_mask([6])).build().unwrap();
    let mut signal = |spikes: [bool; 6], mask: [bool; 6]| {
        model.reset();
        let input = HostPayload::spikes(bools(&spikes), Some(bools(&mask)));
        model.step(&[("spikes", input)]).unwrap().get("signal").unwrap().value().to_f64()
    };
    // 1000/(50 Hz · 1 ms · 5 ms · 2 inputs) = 2 for each spike.
    assert_eq!(signal([true, false, true, false, false, true], [false; 6]), [0.0, 4.0, 2.0]);
    assert_eq!(signal([true, false, false, true, false, true], [true; 6]), [0.0, 4.0, 2.0]);
    assert_eq!(signal([true; 6], [false; 6]), [4.0, 6.0, 2.0]);
}

/// Compares the shares of counts with the Poisson distribution of mean `mean`.
#[track_caller]
fn check_counts(mean: f64, dt: f64) {
    const DRAWS: f64 = 40_000.0;
    let config = PoissonSourceConfig::new(4000).with_rate(mean * 1000.0 / dt).with_dt(dt).with_seed(11_u32);
    let counts = source(config, "counts", 10);
    assert!((self::mean(&counts) - mean).abs() < 4.0 * (mean / DRAWS).sqrt(), "mean {}", self::mean(&counts));
    let error = ((mean + 2.0 * mean * mean) / DRAWS).sqrt();
    assert!((variance(&counts) - mean).abs() < 4.0 * error, "variance {}, {mean} expected", variance(&counts));
    let highest = counts.iter().copied().fold(0.0, f64::max) as usize;
    let mut log_factorial = 0.0;
    for k in 0..=highest {
        log_factorial += if k > 1 { (k as f64).ln() } else { 0.0 };
        let expected = DRAWS * (k as f64 * mean.ln() - mean - log_factorial).exp();
        let found = counts.iter().filter(|&&count| count == k as f64).count() as f64;
        assert!((found - expected).abs() < 5.0 * expected.sqrt() + 3.0, "{k}: {found} times, {expected} expected");
    }
}

#[test]
fn a_poisson_source_draws_poisson_counts() {
    for (mean, dt) in [(0.01, 1.0), (0.7, 0.5), (3.0, 1.0), (30.0, 2.0), (100.0, 1.0), (2500.0, 1.0)] {
        check_counts(mean, dt);
    }
}

#[test]
fn the_units_of_a_poisson_source_have_rates_of_their_own() {
    let rates = [0.0, 50.0, 4000.0, 120_000.0];
    let weights = [1.0, -2.0, 0.5, 3.0];
    let config = PoissonSourceConfig::new(4).with_rate(rates.to_vec()).with_weight(weights.to_vec());
    let (counts, currents) = (source(config.clone(), "counts", 5000), source(config.clone(), "currents", 5000));
    let spikes = source(config, "spikes", 5000);
    for (unit, rate) in rates.iter().enumerate() {
        let of = |values: &[f64]| -> Vec<f64> { values.iter().skip(unit).step_by(4).copied().collect() };
        let expected = rate / 1000.0;
        assert!((mean(&of(&counts)) - expected).abs() <= 4.0 * (expected / 5000.0).sqrt(), "unit {unit}");
        let weighted: Vec<f64> = of(&counts).iter().map(|count| count * weights[unit]).collect();
        assert_eq!(of(&currents), weighted);
        let some: Vec<f64> = of(&counts).iter().map(|count| f64::from(*count > 0.0)).collect();
        assert_eq!(of(&spikes), some);
    }
}

#[test]
fn sources_repeat_after_a_reset_and_whatever_runs_them() {
    let run = |model: &mut Model, port: &str| -> Vec<f64> {
        (0..20).flat_map(|_| model.step(&[]).unwrap().get(port).unwrap().value().to_f64()).collect()
    };
    let current = CurrentSourceConfig::new([3, 5]).with_noise_std(20.0).with_noise_interval(3.0);
    for (tree, port) in [
        (PoissonSourceConfig::new([3, 5]).with_rate(900.0).to_tree(), "counts"),
        (current.to_tree(), "currents"),
        (current.with_onset(4.0).with_offset(9.0).with_dt(0.5).to_tree(), "currents"),
    ] {
        let mut compiled = Model::from_tree(tree.clone()).build().unwrap();
        let first = run(&mut compiled, port);
        compiled.reset();
        assert_eq!(run(&mut compiled, port), first);
        assert_eq!(run(&mut Model::from_tree(tree).eager(true).build().unwrap(), port), first);
        assert!(first.iter().any(|&x| x != first[0]));
    }
}

#[test]
fn current_noise_has_its_mean_and_deviation_and_is_held() {
    const UNITS: usize = 2000;
    for (dt, interval, hold) in [(1.0, None, 1), (0.5, Some(2.0), 4), (0.1, Some(0.3), 3)] {
        let config = CurrentSourceConfig::new(UNITS).with_dc(100.0).with_noise_std(15.0).with_dt(dt);
        let currents = source(config.with_noise_interval(interval), "currents", 12 * hold);
        let rows: Vec<&[f64]> = currents.chunks(UNITS).collect();
        for (i, group) in rows.chunks(hold).enumerate() {
            assert!(group.iter().all(|row| row == &group[0]), "interval {i} is not held");
            assert!(i == 0 || group[0] != rows[i * hold - 1], "interval {i} is that before");
        }
        let drawn: Vec<f64> = rows.iter().step_by(hold).flat_map(|row| row.iter().copied()).collect();
        let n = drawn.len() as f64;
        assert!((mean(&drawn) - 100.0).abs() < 4.0 * 15.0 / n.sqrt(), "mean {}", mean(&drawn));
        assert!((variance(&drawn).sqrt() - 15.0).abs() < 4.0 * 15.0 / (2.0 * n).sqrt(), "{}", variance(&drawn).sqrt());
        // Neighbouring units and neighbouring intervals are independent.
        for lag in [1, UNITS] {
            let products: Vec<f64> = drawn.windows(lag + 1).map(|w| (w[0] - 100.0) * (w[lag] - 100.0)).collect();
            assert!(mean(&products).abs() < 4.0 * 225.0 / n.sqrt(), "lag {lag}: {}", mean(&products));
        }
    }
}

#[test]
fn currents_are_switched_at_whole_steps() {
    let switched = |onset: f64, offset: Option<f64>, dt: f64| {
        let config = CurrentSourceConfig::new(1).with_dc(3.0).with_onset(onset).with_offset(offset).with_dt(dt);
        source(config, "currents", 8)
    };
    assert_eq!(switched(0.0, None, 1.0), [3.0; 8]);
    assert_eq!(switched(3.0, None, 1.0), [0.0, 0.0, 0.0, 3.0, 3.0, 3.0, 3.0, 3.0]);
    assert_eq!(switched(0.0, Some(1.0), 0.5), [3.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    // 0.1 + 0.2 and 0.3 are one step.
    assert_eq!(switched(0.3, Some(0.1 + 0.2 + 0.1), 0.1), [0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(switched(2.0, Some(2.0), 1.0), [0.0; 8]);
    assert_eq!(switched(1e12, None, 1.0), [0.0; 8]);
}

#[test]
fn finite_input_never_gives_nan() {
    let extremes = [0.0, 1.0, -1.0, 1e4, -1e4, 6e4, -6e4];
    let huge = [3e38, -3e38, 1e30, -1e30, 3e38, -3e38, 1e-40];
    for dtype in [DType::F16, DType::F32, DType::F64] {
        let topological = TopologicalLinearSpikerConfig::default().with_resolution(4_usize);
        for tree in [
            LinearSpikerConfig::default().to_tree(),
            LinearSpikerConfig::default().with_tau(1e3).with_cd(9.9).to_tree(),
            topological.clone().to_tree(),
            topological.with_glue(1).to_tree(),
            PoissonSpikerConfig::default().to_tree(),
            TopologicalPoissonSpikerConfig::default().with_glue(1).with_resolution(4_usize).to_tree(),
        ] {
            let name = tree.type_name.clone();
            let mut model = Model::from_tree(tree).dtype(dtype).input("signal", [7]).build().unwrap();
            let signals = if dtype == DType::F16 { [extremes; 2] } else { [huge, extremes] };
            for t in 0..60 {
                let mut signal = signals[t / 3 % 2];
                signal.rotate_left(t % 7);
                model.step(&[("signal", host(&signal))]).unwrap();
                for state in model.states().iter().filter(|state| !state.starts_with("rng")) {
                    let values = model.state(state).unwrap().to_f64();
                    assert!(values.iter().all(|v| v.is_finite()), "{name} {dtype}, step {t}: {state} is {values:?}");
                }
            }
        }
    }
}

#[test]
fn joined_spikes_keep_their_signs() {
    let masked = |n: usize| InputShape::new([n]).with_mask([n]);
    for eager in [false, true] {
        let builder = Model::component(ConcatReshapeConfig::new([2, 3])).eager(eager);
        let plain = InputShape::new([2]).carrying::<SpikeArray>();
        let builder = builder.input("inputs[0]", masked(3)).input("inputs[1]", plain).input("inputs[2]", masked(1));
        let mut model = builder.build().unwrap();
        let outputs = model.step(&[
            ("inputs[0]", HostPayload::spikes(bools(&[true, false, true]), Some(bools(&[true, true, false])))),
            ("inputs[1]", HostPayload::spikes(bools(&[false, true]), None)),
            ("inputs[2]", HostPayload::spikes(bools(&[true]), Some(bools(&[true])))),
        ]);
        let outputs = outputs.unwrap();
        let output = outputs.get("output").unwrap();
        assert_eq!(output.dims(), [2, 3]);
        assert_eq!(output.value().to_bool(), [true, false, true, false, true, true]);
        assert_eq!(output.inhibition_mask().unwrap().to_bool(), [true, true, false, false, false, true]);
    }
}

#[test]
fn one_input_is_flattened_and_given_back_its_shape() {
    let values: Vec<f64> = (0..12).map(f64::from).collect();
    let mut flat = Model::component(ConcatConfig::default()).input("inputs", [3, 4]).build().unwrap();
    let outputs = flat.step(&[("inputs", host(&values))]).unwrap();
    let output = outputs.get("output").unwrap().clone();
    assert_eq!((output.dims(), output.value().to_f64()), (vec![12], values.clone()));
    let mut back = Model::component(ConcatReshapeConfig::new([3, 4])).input("inputs", [12]).build().unwrap();
    let outputs = back.step(&[("inputs", output)]).unwrap();
    let output = outputs.get("output").unwrap();
    assert_eq!((output.dims(), output.value().to_f64()), (vec![3, 4], values));
}

#[test]
fn a_sampler_takes_any_payload_and_more_than_there_is() {
    let sampler = |size: usize| SamplerConfig::new(size).with_seed(3_u32);
    let mut model = Model::component(sampler(500))
        .input("inputs", InputShape::new([2, 2]).carrying::<IntegerArray>())
        .build()
        .unwrap();
    let outputs = model.step(&[("inputs", vec![10i32, 20, 30, 40].into())]).unwrap();
    let drawn = outputs.get("output").unwrap().value().to_i32();
    for value in [10, 20, 30, 40] {
        let count = drawn.iter().filter(|&&x| x == value).count();
        assert!((90..=160).contains(&count), "{value}: {count} times of 500");
    }
    let mut again = Model::component(sampler(500)).input("inputs", [4]).build().unwrap();
    let outputs = again.step(&[("inputs", host(&[10.0, 20.0, 30.0, 40.0]))]).unwrap();
    assert_eq!(outputs.get("output").unwrap().value().to_i32(), drawn);
}

/// A population whose spikes are sampled and joined with an input, inside one controller.
fn wired() -> NeuronConfig {
    let current = PortMap::output(PortMap::CALL, "current");
    let soma = ModuleSpecs::new("soma", "LeakySoma")
        .input("current", current)
        .input("inhibition_mask", PortMap::property(PortMap::SELF, "inhibition_mask"));
    let sampler = ModuleSpecs::new("sampler", "Sampler")
        .input("inputs", PortMap::output("soma", "spikes"))
        .config(&SamplerConfig::new(6_usize));
    let concat = ModuleSpecs::new("concat", "Concat")
        .input("inputs", PortMap::output("sampler", "output"))
        .input("inputs", PortMap::output("soma", "spikes"))
        .output("joined", "output");
    NeuronConfig::new([4], vec![soma, sampler, concat])
}

#[test]
fn samplers_and_concats_work_between_other_modules() {
    let mut config = wired();
    config.inhibitory_rate = 0.5;
    let mut model =
        Model::component(config).input("current", [4]).record("sampler.indices").record("soma.spikes").build().unwrap();
    let mut seen = 0;
    for t in 0..40 {
        let current: Vec<f64> = (0..4).map(|i| if (t + i) % 3 == 0 { 9000.0 } else { 0.0 }).collect();
        let outputs = model.step(&[("current", host(&current))]).unwrap();
        let (joined, soma) = (outputs.get("joined").unwrap(), outputs.get("soma.spikes").unwrap());
        let indices = outputs.get("sampler.indices").unwrap().value().to_i32();
        let chosen = |array: &Array| -> Vec<bool> {
            let values = array.to_bool();
            indices.iter().map(|&i| values[i as usize]).chain(values.iter().copied()).collect()
        };
        assert_eq!(joined.value().to_bool(), chosen(soma.value()));
        assert_eq!(joined.inhibition_mask().unwrap().to_bool(), chosen(soma.inhibition_mask().unwrap()));
        seen += joined.value().to_bool().iter().filter(|&&spike| spike).count();
    }
    assert!(seen > 20);
}

#[test]
fn only_payloads_of_one_kind_are_joined() {
    let mut config = wired();
    config.modules_specs[2].inputs["inputs"].push(PortMap::output(PortMap::CALL, "current"));
    let error = Model::component(config).input("current", [4]).build().err().unwrap();
    assert_eq!(error.message(), "cannot join a SpikeArray and a CurrentArray on one port");
    let builder = Model::component(ConcatConfig::default()).input("inputs[0]", [2]);
    let error = builder.input("inputs[1]", InputShape::new([2]).with_mask([2])).build().err().unwrap();
    assert_eq!(error.message(), "cannot join a FloatArray and a SpikeArray on one port");
    assert_eq!(error.path(), "inputs[1]");
}

/// Checks where the refusal of `builder` points and that its message has `part`.
#[track_caller]
fn refused(builder: spark::model::ModelBuilder, path: &str, part: &str) {
    let error = builder.build().err().unwrap_or_else(|| panic!("`{path}` is accepted"));
    assert_eq!(error.path(), path, "{error}");
    assert!(error.message().contains(part), "{error}");
}

#[test]
fn bad_parameters_are_refused_with_their_path_and_what_is_allowed() {
    let signal = |config: ConfigTree| Model::from_tree(config).input("signal", [3]);
    refused(signal(tree(PoissonSpikerConfig::default().with_max_freq(0.0))), "max_freq", "positive");
    refused(signal(tree(LinearSpikerConfig::default().with_tau(-1.0))), "tau", "positive");
    refused(
        signal(tree(LinearSpikerConfig::default().with_cd(10.0))),
        "cd",
        "shorter than an interval at max_freq, 10 ms",
    );
    let topological = TopologicalLinearSpikerConfig::default;
    refused(signal(tree(topological().with_glue(2))), "glue", "0 or 1");
    refused(signal(tree(topological().with_resolution(0_usize))), "resolution", "positive");
    refused(signal(tree(topological().with_maxs(vec![1.0, 0.0, 1.0]))), "maxs", "must differ from mins");
    refused(signal(tree(topological().with_mins(vec![0.0, 0.0]))), "mins", "does not match");
    refused(signal(tree(topological().with_sigma(0.0))), "sigma", "positive");

    let spikes = |config: ConfigTree| Model::from_tree(config).input("spikes", [3]);
    let integrator = ExponentialIntegratorConfig::new;
    refused(spikes(tree(integrator(4_usize))), "num_outputs", "at most the number of inputs, 3");
    refused(spikes(tree(integrator(0_usize))), "num_outputs", "positive");
    let map = |values: Vec<i32>| Array::new(Shape::units(&[values.len()]), Data::I32(values)).unwrap();
    let mapped = |values| tree(integrator(2_usize).with_output_map(map(values)));
    refused(spikes(mapped(vec![0, 1])), "output_map", "one number for each input, 3");
    refused(spikes(mapped(vec![0, 1, 2])), "output_map", "from 0 to 1, found 2 at position 2");

    let inputs = |config: ConfigTree| Model::from_tree(config).input("inputs", [3]);
    refused(inputs(tree(SamplerConfig::new(0_usize))), "sample_size", "positive");
    refused(inputs(tree(ConcatReshapeConfig::new([2, 2]))), "reshape", "as many elements as the inputs together, 3");
    refused(Model::component(ConcatConfig::default()), "", "something connected to its input `inputs`");
    let synapses = InputShape::new([2, 3]).asynchronous();
    refused(Model::component(SamplerConfig::new(2_usize)).input("inputs", synapses), "inputs", "the units");

    refused(Model::component(PoissonSourceConfig::new(2).with_rate(-1.0)), "rate", "zero or positive");
    refused(Model::component(PoissonSourceConfig::new(2).with_rate(2e8)), "rate", "0 to 100000 events per step");
    refused(Model::component(PoissonSourceConfig::new(2).with_rate(vec![1.0; 3])), "rate", "does not match");
    refused(Model::component(CurrentSourceConfig::new(2).with_noise_std(-1.0)), "noise_std", "zero or positive");
    refused(Model::component(CurrentSourceConfig::new(2).with_onset(5.0).with_offset(1.0)), "offset", "before onset");
    refused(Model::component(CurrentSourceConfig::new(2).with_noise_interval(0.0)), "noise_interval", "positive");
}

fn tree(config: impl Config) -> ConfigTree {
    config.to_tree()
}

/// Checks that `config` is the same after it was written to a file and read.
#[track_caller]
fn check_file<C: Config + PartialEq + std::fmt::Debug>(config: C) {
    for compressed in [false, true] {
        let bytes = spark::scfg::write(&config.to_tree(), compressed).unwrap();
        let read = spark::scfg::parse(&bytes).and_then(|tree| C::from_tree(&tree));
        assert_eq!(read.unwrap(), config);
    }
}

#[test]
fn configurations_are_the_same_after_writing_and_reading() {
    let map = Array::new(Shape::of(Axis::anonymous(0), &[3]), Data::I32(vec![1, 0, 1])).unwrap();
    check_file(ExponentialIntegratorConfig::new(2_usize));
    check_file(ExponentialIntegratorConfig::new(2_usize).with_output_map(map));
    check_file(TopologicalLinearSpikerConfig::default().with_glue(1).with_maxs(2.5).with_resolution(7_usize));
    check_file(CurrentSourceConfig::new([2, 2]).with_offset(7.0));
    check_file(PoissonSourceConfig::new(3).with_rate(vec![1.0, 2.5, 0.0]));
    check_file(ConcatReshapeConfig::new([2, 3]));
    check_file(SamplerConfig::new(4_usize));
}

#[test]
fn output_shapes_are_known_before_anything_is_connected() {
    let registry = spark::registry::Registry::global().unwrap();
    let shape = |module: &str, config: ConfigTree| {
        let shape = (registry.modules.get(module).unwrap().output_shape)(&config);
        shape.map(|shape| shape.dims())
    };
    assert_eq!(shape("Sampler", tree(SamplerConfig::new(7_usize))), Some(vec![7]));
    assert_eq!(shape("ConcatReshape", tree(ConcatReshapeConfig::new([2, 3]))), Some(vec![2, 3]));
    assert_eq!(shape("ExponentialIntegrator", tree(ExponentialIntegratorConfig::new(4_usize))), Some(vec![4]));
    assert_eq!(shape("PoissonSource", tree(PoissonSourceConfig::new([5, 2]))), Some(vec![5, 2]));
    assert_eq!(shape("LinearSynapses", tree(LinearSynapsesConfig::new([3]))), Some(vec![3]));
    // These depend on what is connected, or are not over units.
    assert_eq!(shape("LinearSpiker", tree(LinearSpikerConfig::default())), None);
    assert_eq!(shape("Concat", tree(ConcatConfig::default())), None);
    assert_eq!(shape("N2NDelays", tree(N2NDelaysConfig::new([3]))), None);
}
