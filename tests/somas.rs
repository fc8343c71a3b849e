//! Somas against closed forms, worked in double precision here, and against published behaviour. The reference's numbers are
//! in `goldens_somas.rs`; somas with channels, and what is compared with an integrator of higher order, in
//! `somas_channels.rs`.

use spark::prelude::*;

/// A model of one neuron, fed `value` on `port` at every step.
struct Neuron {
    model: Model,
    port: &'static str,
}

impl Neuron {
    fn new(config: impl Config, port: &'static str) -> Neuron {
        Neuron { model: Model::component(config).input(port, [1]).build().unwrap(), port }
    }

    /// One step; whether it spiked.
    fn step(&mut self, value: f64) -> bool {
        self.model.step(&[(self.port, vec![value].into())]).unwrap().spikes("spikes").unwrap()[0]
    }

    fn state(&self, name: &str) -> f64 {
        self.model.state(name).unwrap().to_f64()[0]
    }

    /// The steps of all spikes in `steps` steps.
    fn times(&mut self, value: f64, steps: usize) -> Vec<usize> {
        (0..steps).filter(|_| self.step(value)).collect()
    }

    fn intervals(&mut self, value: f64, steps: usize) -> Vec<usize> {
        self.times(value, steps).windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

#[track_caller]
fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not within {tolerance} of {expected}");
}

/// Steps a leaky membrane takes from `reset` beyond `threshold` when it is driven to `target`: all in mV above rest.
fn steps_to_threshold(target: f64, reset: f64, threshold: f64, tau: f64, dt: f64) -> usize {
    (tau / dt * ((target - reset) / (target - threshold)).ln()).floor() as usize + 1
}

#[test]
fn leaky_intervals_follow_the_closed_form() {
    for (dt, current) in [(1.0, 210.0), (1.0, 350.0), (0.5, 275.0), (0.1, 203.0), (0.1, 1000.0)] {
        let interval = steps_to_threshold(0.1 * current, 10.0, 20.0, 20.0, dt);
        let intervals = Neuron::new(LeakySomaConfig::default().with_dt(dt), "current").intervals(current, 5000);
        assert!(intervals.len() >= 5);
        assert!(intervals.iter().all(|&i| i == interval), "{current} pA: {intervals:?}, not {interval}");
        let cooldown = StrictRefractoryLeakySomaConfig::default().with_dt(dt).with_cooldown(3.0);
        let held = interval + (3.0 / dt) as usize;
        let intervals = Neuron::new(cooldown, "current").intervals(current, 5000);
        assert!(intervals.iter().all(|&i| i == held), "{current} pA: {intervals:?}, not {held}");
    }
    // The rheobase is 200 pA.
    assert!(Neuron::new(LeakySomaConfig::default(), "current").times(199.99, 5000).is_empty());
}

#[test]
fn a_conductance_changes_target_and_time_constant() {
    let config = ConductanceLeakySomaConfig::default().with_dt(0.1);
    for g in [5.0, 20.0, 100.0] {
        let total = 1.0 + 0.06 * g;
        let target = 0.06 * g * 70.0 / total;
        let intervals = Neuron::new(config.clone(), "excitatory").intervals(g, 5000);
        assert!(target > 15.0, "{g} nS do not reach the threshold");
        let expected = steps_to_threshold(target, 10.0, 15.0, 15.0 / total, 0.1) + 20;
        assert!(intervals.len() > 10 && intervals.iter().all(|&i| i == expected), "{g} nS: {intervals:?}, {expected}");
    }
    for (port, reversal) in [("excitatory", 70.0), ("inhibitory", -15.0)] {
        for sign in [1.0, -1.0] {
            let mut neuron = Neuron::new(config.clone().with_threshold(100.0), port);
            neuron.times(sign * 30.0, 2000);
            near(neuron.state("potential"), 1.8 * reversal / 2.8, 1e-5 * f64::abs(reversal));
        }
    }
}

/// NEST's own test of `iaf_psc_alpha` (test_iaf.sli): I_e = 1 nA, steps of 0.1 ms.
#[test]
fn psc_somas_give_the_trace_of_nest_s_test() {
    let neurons: [fn(f64, DType) -> Neuron; 3] = [
        |dt, dtype| Neuron::new(ExponentialPSCSomaConfig::default().with_dt(dt).with_dtype(dtype), "current"),
        |dt, dtype| Neuron::new(AlphaPSCSomaConfig::default().with_dt(dt).with_dtype(dtype), "current"),
        |dt, dtype| Neuron::new(DeltaPSCSomaConfig::default().with_dt(dt).with_dtype(dtype), "current"),
    ];
    for neuron in neurons {
        for dtype in [DType::F32, DType::F64] {
            let mut neuron = neuron(0.1, dtype);
            // The current acts from the next step on.
            assert!(!neuron.step(1000.0));
            let mut spikes = Vec::new();
            let trace: Vec<f64> = (1..=120)
                .map(|step| {
                    if neuron.step(1000.0) {
                        spikes.push(step);
                    }
                    neuron.state("potential") - 70.0
                })
                .collect();
            assert_eq!(spikes, [48, 116]);
            for (step, potential) in [(1, -69.602), (43, -56.0204), (46, -55.2513), (47, -55.0001)] {
                near(trace[step - 1], potential, 6e-5);
            }
            assert!(trace[47..68].iter().all(|v| *v == -70.0));
            near(trace[68], -69.602, 6e-5);
        }
    }
}

/// Potential `t` after a spike of weight 1 started a current of time constant `s`, in a membrane of time constant `m` and
/// capacitance `c`.
type Response = fn(t: f64, s: f64, m: f64, c: f64) -> f64;

fn exponential(t: f64, s: f64, m: f64, c: f64) -> f64 {
    if s == m {
        return t / c * (-t / m).exp();
    }
    s * m / (m - s) / c * ((-t / m).exp() - (-t / s).exp())
}

fn alpha(t: f64, s: f64, m: f64, c: f64) -> f64 {
    let scale = std::f64::consts::E / s / c;
    if s == m {
        return scale * t * t / 2.0 * (-t / m).exp();
    }
    let b = s * m / (m - s);
    scale * (b * b * ((-t / m).exp() - (-t / s).exp()) - b * t * (-t / s).exp())
}

#[track_caller]
fn check_response(config: impl Config, port: &'static str, dt: f64, weight: f64, expected: impl Fn(f64) -> f64) {
    let mut neuron = Neuron::new(config, port);
    neuron.step(weight);
    assert_eq!(neuron.state("potential"), 0.0);
    let expected: Vec<f64> = (1..=600).map(|step| weight * expected(f64::from(step) * dt)).collect();
    let found: Vec<f64> = expected
        .iter()
        .map(|_| {
            neuron.step(0.0);
            neuron.state("potential")
        })
        .collect();
    let peak = |trace: &[f64]| trace.iter().map(|v| v.abs()).fold(0.0, f64::max);
    near(peak(&found), peak(&expected), 1e-5 * peak(&expected));
    let at = |trace: &[f64]| trace.iter().position(|v| v.abs() == peak(trace)).unwrap() as f64;
    near(at(&found), at(&expected), 1.0);
    found.iter().zip(&expected).for_each(|(f, e)| near(*f, *e, 1e-5 * peak(&expected)));
}

#[test]
fn one_spike_gives_the_analytic_potential() {
    // Equal time constants, and such that nearly cancel.
    for (s, m) in [(2.0, 10.0), (0.5, 10.0), (10.0, 10.0), (10.001, 10.0), (9.0, 10.0), (20.0, 5.0)] {
        for (dt, weight) in [(0.1, 100.0), (1.0, 30.0)] {
            let c = m / 0.04;
            let config = ExponentialPSCSomaConfig::default().with_dt(dt).with_potential_tau(m).with_excitatory_tau(s);
            check_response(config.clone(), "excitatory", dt, weight, |t| exponential(t, s, m, c));
            let config = config.with_inhibitory_tau(s).with_excitatory_tau(1.0);
            check_response(config, "inhibitory", dt, -weight, |t| exponential(t, s, m, c));
            let config = AlphaPSCSomaConfig::default().with_dt(dt).with_potential_tau(m).with_excitatory_tau(s);
            check_response(config, "excitatory", dt, weight, |t| alpha(t, s, m, c));
        }
    }
    // The exponential current's potential peaks at β·ln(τ_m/τ_s): 2.5 ms·ln 5.
    let response: Response = exponential;
    let times = (1..100).map(|t| f64::from(t) * 0.1);
    let peak = times.max_by(|a, b| response(*a, 2.0, 10.0, 250.0).total_cmp(&response(*b, 2.0, 10.0, 250.0)));
    near(peak.unwrap(), 2.5 * 5f64.ln(), 0.1);
}

#[test]
fn a_delta_input_moves_the_potential_at_once_unless_it_is_refractory() {
    let mut neuron = Neuron::new(DeltaPSCSomaConfig::default().with_dt(0.5), "weights");
    assert!(!neuron.step(14.0));
    assert_eq!(neuron.state("potential"), 14.0);
    assert!(!neuron.step(0.0));
    near(neuron.state("potential"), 14.0 * (-0.05f64).exp(), 1e-5);
    // On the threshold is a spike, as in NEST.
    assert!(!neuron.step(-100.0));
    let below = neuron.state("potential");
    let back = 15.0 - below * (-0.05f64).exp();
    assert!(neuron.step(back + 1e-3));
    // 2 ms are four steps in which inputs are lost.
    for _ in 0..4 {
        assert!(!neuron.step(50.0));
        assert_eq!(neuron.state("potential"), 0.0);
    }
    assert!(neuron.step(50.0));
}

/// With a = 0 and constant drive, after many spikes of interval T the adaptation current just after one is b/(1 − e^(−T/τ_w)),
/// and the membrane's equation, linear between spikes, must reach the threshold after T.
fn adapted_interval(target: f64, reset: f64, threshold: f64, tau: f64, resistance: f64, b: f64, tau_w: f64) -> f64 {
    let end = |interval: f64| {
        let (slow, fast) = ((-interval / tau_w).exp(), (-interval / tau).exp());
        let pull = resistance * b / (1.0 - slow) * tau_w / (tau_w - tau) * (slow - fast);
        target + (reset - target) * fast - pull
    };
    let (mut low, mut high) = (1e-3, 1e4);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if end(middle) < threshold { low = middle } else { high = middle }
    }
    low
}

#[test]
fn an_adaptation_current_slows_spikes_to_the_closed_form() {
    let dt = 0.02;
    for (current, b, tau_w) in [(300.0, 20.0, 100.0), (400.0, 10.0, 200.0), (250.0, 50.0, 50.0)] {
        let config = AdaptiveCurrentLeakySomaConfig::default()
            .with_dt(dt)
            .with_adaptation_delta(b)
            .with_adaptation_tau(tau_w)
            .with_dtype(DType::F64);
        let intervals = Neuron::new(config, "current").intervals(current, 100_000);
        let expected = adapted_interval(0.1 * current, 10.0, 20.0, 20.0, 0.1, b, tau_w);
        let last = &intervals[intervals.len() - 5..];
        let mean = dt * last.iter().sum::<usize>() as f64 / 5.0;
        println!("{current} pA, {b} pA, {tau_w} ms: {mean:.2} ms, in closed form {expected:.2} ms");
        near(mean, expected, 2.0 * dt + 1e-3 * expected);
        assert!(intervals.windows(2).all(|pair| pair[0] <= pair[1] + 1), "{intervals:?}");
        assert!((intervals[0] as f64) < 0.8 * last[0] as f64);
    }
}

#[test]
fn a_threshold_that_adapts_slows_spikes() {
    let config = AdaptiveLeakySomaConfig::default().with_threshold_delta(2.0).with_threshold_tau(200.0);
    let intervals = Neuron::new(config, "current").intervals(500.0, 2000);
    assert!(intervals[0] < *intervals.last().unwrap());
    let last = intervals.len() - 1;
    assert!(intervals[last].abs_diff(intervals[last - 1]) <= 1, "{intervals:?}");
}

/// Inter-spike intervals, in ms, of Izhikevich's neuron (a, b, c, d) at rest when 10 are switched on.
fn izhikevich(a: f64, b: f64, c: f64, d: f64) -> Vec<f64> {
    let dt = 0.05;
    let config = IzhikevichSomaConfig::default()
        .with_dt(dt)
        .with_resistance(1.0)
        .with_potential_reset(c)
        .with_recovery_timescale(a)
        .with_recovery_sensitivity(b)
        .with_recovery_update(d);
    let mut neuron = Neuron::new(config, "current");
    neuron.times(0.0, 20_000);
    let intervals: Vec<f64> = neuron.intervals(10.0, 20_000).iter().map(|&steps| steps as f64 * dt).collect();
    println!("a {a}, b {b}, c {c}, d {d}: {intervals:.1?}");
    intervals
}

/// Sizes of the groups of spikes that are less than `gap` apart.
fn bursts(intervals: &[f64], gap: f64) -> Vec<usize> {
    intervals.split(|interval| *interval >= gap).map(|within| within.len() + 1).collect()
}

#[test]
fn izhikevich_neurons_spike_in_the_published_patterns() {
    let regular = izhikevich(0.02, 0.2, -65.0, 8.0);
    // Regular spiking: the first interval is short, the others longer.
    assert!(regular[0] < 0.6 * regular[3] && regular.iter().skip(2).all(|i| (30.0..80.0).contains(i)));
    // Intrinsically bursting: one burst, then single spikes.
    let bursting = izhikevich(0.02, 0.2, -55.0, 4.0);
    let groups = bursts(&bursting, 10.0);
    assert!(groups[0] >= 2 && groups[1..].iter().all(|&n| n == 1), "{groups:?}");
    // Chattering: bursts throughout.
    let chattering = izhikevich(0.02, 0.2, -50.0, 2.0);
    let groups = bursts(&chattering, 10.0);
    let inner = &groups[..groups.len() - 1];
    assert!(inner.len() > 5 && inner.iter().all(|&n| n >= 2) && inner[0] >= 4, "{groups:?}");
    // Fast spiking: several times the rate of regular spiking, without adaptation.
    let fast = izhikevich(0.1, 0.2, -65.0, 2.0);
    assert!(fast.len() > 2 * regular.len());
    assert!(fast.iter().skip(3).all(|i| (i / fast[fast.len() - 1] - 1.0).abs() < 0.05), "{fast:?}");
    // Low-threshold spiking: adapts, and is faster than regular spiking.
    let low = izhikevich(0.02, 0.25, -65.0, 2.0);
    assert!(low.len() > regular.len() && low[0] < 0.8 * low[low.len() - 1]);
}
