//! Somas of several coupled equations against the classic Runge-Kutta method, in double precision and small steps.

use spark::prelude::*;

/// One step of dy/dt = f(y).
fn runge_kutta<const N: usize>(y: [f64; N], dt: f64, f: impl Fn([f64; N]) -> [f64; N]) -> [f64; N] {
    let at = |k: [f64; N], share: f64| std::array::from_fn(|i| y[i] + share * dt * k[i]);
    let a = f(y);
    let b = f(at(a, 0.5));
    let c = f(at(b, 0.5));
    let d = f(at(c, 1.0));
    std::array::from_fn(|i| y[i] + dt / 6.0 * (a[i] + 2.0 * b[i] + 2.0 * c[i] + d[i]))
}

/// Potential after every step and times of spikes, in ms, for a constant current.
fn run(config: impl Config, dt: f64, current: f64, duration: f64) -> (Vec<f64>, Vec<f64>) {
    let mut model = Model::component(config).input("current", [1]).build().unwrap();
    let (mut potential, mut times) = (Vec::new(), Vec::new());
    for step in 0..(duration / dt).round() as usize {
        if model.step(&[("current", vec![current].into())]).unwrap().spikes("spikes").unwrap()[0] {
            times.push(step as f64 * dt);
        }
        potential.push(model.state("potential").unwrap().to_f64()[0]);
    }
    (potential, times)
}

/// Potential every 0.05 ms and spike times of the neuron of Traub and Miles, as published: v in mV, gates m, h, n.
fn traub_miles(current: f64, duration: f64) -> (Vec<f64>, Vec<f64>) {
    let derivative = |[v, m, h, n]: [f64; 4]| {
        let u = v + 63.0;
        let gate = |x: f64, opening: f64, closing: f64| opening * (1.0 - x) - closing * x;
        let ionic = 10.0 * (-65.0 - v) + 20_000.0 * m.powi(3) * h * (50.0 - v) + 6_000.0 * n.powi(4) * (-90.0 - v);
        [
            (ionic + current) / 200.0,
            gate(
                m,
                0.32 * (13.0 - u) / (((13.0 - u) / 4.0).exp() - 1.0),
                0.28 * (u - 40.0) / (((u - 40.0) / 5.0).exp() - 1.0),
            ),
            gate(h, 0.128 * ((17.0 - u) / 18.0).exp(), 4.0 / (1.0 + ((40.0 - u) / 5.0).exp())),
            gate(n, 0.032 * (15.0 - u) / (((15.0 - u) / 5.0).exp() - 1.0), 0.5 * ((10.0 - u) / 40.0).exp()),
        ]
    };
    // Gates settle within 1 s with the potential held.
    let mut y = [-65.0, 0.0, 1.0, 0.0];
    for _ in 0..100_000 {
        let [_, m, h, n] = runge_kutta(y, 0.01, derivative);
        y = [-65.0, m, h, n];
    }
    let (mut potential, mut times) = (Vec::new(), Vec::new());
    for step in 0..(duration / 0.005).round() as usize {
        let next = runge_kutta(y, 0.005, derivative);
        if y[0] <= -20.0 && next[0] > -20.0 {
            times.push(step as f64 * 0.005);
        }
        y = next;
        if step % 10 == 9 {
            potential.push(y[0]);
        }
    }
    (potential, times)
}

#[test]
fn hodgkin_huxley_spikes_when_the_published_equations_do() {
    let config = HodgkinHuxleySomaConfig::default().with_dt(0.01);
    let mut counts = Vec::new();
    for current in [0.0, 50.0, 100.0, 200.0, 300.0, 500.0, 1000.0] {
        let (_, expected) = traub_miles(current, 200.0);
        let (_, times) = run(config.clone(), 0.01, current, 200.0);
        println!(
            "{current} pA: {} spikes, by Runge-Kutta {}; last {:?} {:?}",
            times.len(),
            expected.len(),
            times.last(),
            expected.last()
        );
        assert_eq!(times.len(), expected.len(), "{current} pA");
        let worst = times.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 0.1, "{current} pA: spikes are {worst} ms apart");
        counts.push(times.len());
    }
    // Silent below the rheobase, and faster with every step of the current above it.
    assert!(counts[0] == 0 && counts[6] > 15 && counts.is_sorted(), "{counts:?}");
}

#[test]
fn a_hodgkin_huxley_spike_has_its_shape() {
    let (potential, times) = run(HodgkinHuxleySomaConfig::default(), 0.05, 500.0, 60.0);
    let absolute: Vec<f64> = potential.iter().map(|v| v - 65.0).collect();
    let (expected, _) = traub_miles(500.0, 60.0);
    let peak = |trace: &[f64]| trace.iter().copied().fold(f64::MIN, f64::max);
    println!("peak {:.2} mV, by Runge-Kutta {:.2} mV", peak(&absolute), peak(&expected));
    assert!((40.0..50.0).contains(&peak(&absolute)) && (peak(&absolute) - peak(&expected)).abs() < 1.5);
    // Above −20 mV for less than 1.5 ms, and back below rest.
    let first = (times[0] / 0.05).round() as usize;
    let width = absolute[first..].iter().take_while(|v| **v > -20.0).count() as f64 * 0.05;
    assert!((0.3..1.5).contains(&width), "{width} ms");
    let after = &absolute[first..first + 100];
    assert!(after.iter().copied().fold(f64::MAX, f64::min) < -65.0);
    // The upstroke starts between −55 and −40 mV.
    let onset = absolute.windows(2).find(|pair| (pair[1] - pair[0]) / 0.05 > 20.0).unwrap()[0];
    assert!((-55.0..-40.0).contains(&onset), "{onset} mV");
}

#[test]
fn a_hodgkin_huxley_soma_settles_where_the_published_equations_do() {
    let (potential, times) = run(HodgkinHuxleySomaConfig::default(), 0.05, 0.0, 500.0);
    let (expected, _) = traub_miles(0.0, 500.0);
    assert!(times.is_empty());
    let (found, expected) = (potential.last().unwrap() - 65.0, expected.last().unwrap());
    println!("rests at {found:.3} mV, by Runge-Kutta {expected:.3} mV");
    assert!((found - expected).abs() < 0.01);
}

/// The neuron of Brette and Gerstner (2005): C 281 pF, g_L 30 nS, E_L −70.6 mV, V_T −50.4 mV, Δ_T 2 mV, τ_w 144 ms, a 4 nS,
/// b 80.5 pA, with this reset potential.
fn brette_gerstner(reset: f64, dt: f64) -> AdaptiveExponentialSomaConfig {
    AdaptiveExponentialSomaConfig::default()
        .with_dt(dt)
        .with_potential_rest(-70.6)
        .with_potential_reset(reset)
        .with_potential_tau(281.0 / 30.0)
        .with_resistance(1.0 / 30.0)
        .with_rheobase_threshold(-50.4)
        .with_spike_slope(2.0)
        .with_adaptation_tau(144.0)
        .with_adaptation_subthreshold(4.0)
        .with_adaptation_delta(80.5)
}

fn brette_gerstner_times(reset: f64, current: f64, duration: f64) -> Vec<f64> {
    let (mut y, mut times) = ([-70.6, 0.0], Vec::new());
    for step in 0..(duration / 0.001).round() as usize {
        y = runge_kutta(y, 0.001, |[v, w]| {
            let upstroke = 30.0 * 2.0 * ((v + 50.4) / 2.0).exp();
            [(-30.0 * (v + 70.6) + upstroke - w + current) / 281.0, (4.0 * (v + 70.6) - w) / 144.0]
        });
        if y[0] > -30.0 {
            times.push(step as f64 * 0.001);
            y = [reset, y[1] + 80.5];
        }
    }
    times
}

#[test]
fn adaptive_exponential_somas_adapt_and_burst() {
    for (reset, current) in [(-70.6, 800.0), (-47.2, 800.0)] {
        let expected = brette_gerstner_times(reset, current, 300.0);
        let (_, times) = run(brette_gerstner(reset, 0.002), 0.002, current, 300.0);
        println!("reset {reset}: {times:.1?}\n by Runge-Kutta: {expected:.1?}");
        assert_eq!(times.len(), expected.len());
        let worst = times.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 0.5, "spikes are {worst} ms apart");
        let intervals: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        if reset < -60.0 {
            // Reset to rest: regular spikes that slow down.
            assert!(intervals.windows(2).all(|pair| pair[0] < pair[1] + 0.01));
        } else {
            // Reset above the threshold: at once the next spike, until the adaptation current has grown.
            assert!(intervals[0] < 5.0 && intervals.iter().any(|i| *i > 5.0 * intervals[0]));
        }
    }
}
