//! Pair-based spike-timing-dependent plasticity against its closed-form window.

use spark::config::Config;
use spark::prelude::*;

/// The weight of one synapse after spikes in the given steps.
#[track_caller]
fn weight_after(config: impl Config, pre: &[usize], post: &[usize], start: f64, eager: bool) -> f64 {
    let builder = Model::component(config).input("pre_spikes", [1]).input("post_spikes", [1]).input("kernel", [1, 1]);
    let mut model = builder.eager(eager).build().unwrap();
    let mut kernel = Array::full(Shape::units(&[1, 1]), DType::F64, start);
    let last = pre.iter().chain(post).max().copied().unwrap_or(0);
    for t in 0..=last + 1 {
        let outputs = model
            .step(&[
                ("pre_spikes", vec![pre.contains(&t)].into()),
                ("post_spikes", vec![post.contains(&t)].into()),
                ("kernel", kernel.into()),
            ])
            .unwrap();
        kernel = outputs.get("kernel").unwrap().value().clone();
    }
    kernel.to_f64()[0]
}

/// A rule with asymmetric time constants; `mu` is both exponents.
fn pair(mu: f64) -> PairSTDPRuleConfig {
    let config = PairSTDPRuleConfig::default().with_pre_tau(17.0).with_post_tau(34.0).with_eta(0.02).with_alpha(1.05);
    config.with_mu_plus(mu).with_mu_minus(mu).with_w_min(10.0).with_w_max(60.0).with_dtype(DType::F64)
}

fn power_law() -> PowerLawSTDPRuleConfig {
    let config = PowerLawSTDPRuleConfig::default().with_pre_tau(17.0).with_post_tau(34.0).with_eta(0.1);
    config.with_alpha(0.11).with_mu(0.4).with_w_0(2.0).with_dtype(DType::F64)
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-10 * expected.abs(), "{found}, expected {expected}");
}

const START: f64 = 25.0;

/// Change of a weight of [`START`] by one pair, `interval` ms from the presynaptic spike to the postsynaptic one.
fn window(mu: f64, interval: f64) -> f64 {
    let share = (START - 10.0) / 50.0;
    if interval > 0.0 {
        50.0 * 0.02 * f64::powf(1.0 - share, mu) * (-interval / 17.0).exp()
    } else {
        -50.0 * 0.02 * 1.05 * f64::powf(share, mu) * (interval / 34.0).exp()
    }
}

#[test]
fn single_pairs_trace_the_window() {
    for mu in [0.0, 0.02, 0.5, 1.0] {
        for interval in [1usize, 2, 5, 17, 50, 100] {
            for eager in [false, true] {
                let potentiated = weight_after(pair(mu), &[3], &[3 + interval], START, eager);
                near(potentiated, START + window(mu, interval as f64));
                let depressed = weight_after(pair(mu), &[3 + interval], &[3], START, eager);
                near(depressed, START + window(mu, -(interval as f64)));
            }
        }
    }
}

#[test]
fn single_pairs_trace_the_window_of_the_power_law() {
    for interval in [1usize, 2, 5, 17, 50, 100] {
        for eager in [false, true] {
            let potentiated = weight_after(power_law(), &[3], &[3 + interval], START, eager);
            let reference = f64::powf(2.0, 0.6) * f64::powf(START, 0.4);
            near(potentiated, START + 0.1 * reference * (-(interval as f64) / 17.0).exp());
            let depressed = weight_after(power_law(), &[3 + interval], &[3], START, eager);
            near(depressed, START - 0.1 * 0.11 * START * (-(interval as f64) / 34.0).exp());
        }
    }
}

#[test]
fn spikes_of_one_step_are_no_pair() {
    near(weight_after(pair(0.5), &[3], &[3], START, false), START);
    near(weight_after(power_law(), &[3], &[3], START, false), START);
}

#[test]
fn potentiation_comes_before_depression_within_a_step() {
    // Both spike in steps 1 and 6: in step 6 each pairs with the other's spike of step 1.
    let range = 50.0;
    let share = |w: f64| (w - 10.0) / range;
    let up = START + range * 0.02 * (1.0 - share(START)) * f64::exp(-5.0 / 17.0);
    let down = up - range * 0.02 * 1.05 * share(up) * f64::exp(-5.0 / 34.0);
    near(weight_after(pair(1.0), &[1, 6], &[1, 6], START, false), down);
    let up = START + 0.1 * f64::powf(2.0, 0.6) * f64::powf(START, 0.4) * f64::exp(-5.0 / 17.0);
    near(weight_after(power_law(), &[1, 6], &[1, 6], START, false), up - 0.1 * 0.11 * up * f64::exp(-5.0 / 34.0));
}

#[test]
fn every_pair_counts() {
    // Additive, so that the changes of the pairs add up.
    let (pre, post) = ([1usize, 4, 20], [6usize, 9, 15]);
    let pairs = pre.iter().flat_map(|pre| post.iter().map(move |post| *post as f64 - *pre as f64));
    near(
        weight_after(pair(0.0), &pre, &post, START, false),
        START + pairs.map(|interval| window(0.0, interval)).sum::<f64>(),
    );
}

#[test]
fn a_pair_does_not_depend_on_the_time_step() {
    for dt in [0.5, 0.25] {
        let steps = |time: f64| (time / dt) as usize;
        near(
            weight_after(pair(0.5).with_dt(dt), &[steps(2.0)], &[steps(12.0)], START, false),
            START + window(0.5, 10.0),
        );
    }
}

#[test]
fn weights_stay_within_their_bounds() {
    let bounded = |mu: f64| pair(mu).with_eta(0.9);
    let steps: Vec<usize> = (0..200).collect();
    let even: Vec<usize> = (0..200).step_by(2).collect();
    let odd: Vec<usize> = (1..200).step_by(2).collect();
    for mu in [0.0, 0.3, 1.0] {
        for (pre, post) in [(&steps, &steps), (&even, &odd), (&odd, &even)] {
            for start in [10.0, 60.0, START] {
                let weight = weight_after(bounded(mu), pre, post, start, false);
                assert!((10.0..=60.0).contains(&weight), "mu {mu}: {weight}");
            }
        }
    }
    // An additive rule runs into its bounds, and both bounds can be left again.
    assert_eq!(weight_after(bounded(0.0), &[1], &[2, 3, 4], START, false), 60.0);
    assert_eq!(weight_after(bounded(0.0), &[2, 3, 4], &[1], START, false), 10.0);
    assert!(weight_after(bounded(0.0), &[1], &[2], 10.0, false) > 10.0);
    // A weight outside is taken to the bound.
    assert_eq!(weight_after(pair(0.5), &[], &[], 100.0, false), 60.0);
    assert_eq!(weight_after(power_law(), &[1, 2, 3], &[1], 0.0, false), 0.0);
}

#[test]
fn multiplicative_weights_settle_where_both_sides_balance() {
    // Uncorrelated pairs at every interval: with mu = 1 the balance is at λ(1 − ŵ)τ₊ = λ·α·ŵ·τ₋, independent of the start.
    let all: Vec<usize> = (0..4000).collect();
    let ends = [10.0, 60.0].map(|start| weight_after(pair(1.0).with_eta(1e-3), &all, &all, start, false));
    let sum = |tau: f64| f64::exp(-1.0 / tau) / (1.0 - f64::exp(-1.0 / tau));
    let (up, down) = (sum(17.0), 1.05 * sum(34.0));
    for end in ends {
        assert!(((end - 10.0) / 50.0 - up / (up + down)).abs() < 0.02, "{end}");
    }
}

#[test]
fn bounds_that_cross_are_refused() {
    let config = PairSTDPRuleConfig::default().with_w_min(5.0).with_w_max(5.0);
    let builder = Model::component(config).input("pre_spikes", [1]).input("post_spikes", [1]).input("kernel", [1, 1]);
    let message = builder.build().err().expect("is refused").to_string();
    assert!(message.contains("w_max: must be above w_min, 5 pA"), "{message}");
}
