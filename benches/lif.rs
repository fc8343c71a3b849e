//! ns per neuron-step of the LIF soma: Spark's kernel beside plain Rust loops, in one run.

use spark::prelude::*;
use std::hint::black_box;

const SIZES: [usize; 3] = [1 << 10, 1 << 14, 1 << 20];
const ROUNDS: usize = 21;

struct Neuron {
    potential: f32,
}

struct Parameters {
    decay: f32,
    gain: f32,
    reset: f32,
    threshold: f32,
}

/// One struct per neuron, spikes in a list.
#[inline(never)]
fn scalar(neurons: &mut [Neuron], p: &Parameters, current: &[f32], spikes: &mut Vec<u32>) {
    spikes.clear();
    for (i, neuron) in neurons.iter_mut().enumerate() {
        neuron.potential = p.decay * neuron.potential + p.gain * current[i];
        if neuron.potential > p.threshold {
            neuron.potential = p.reset;
            spikes.push(i as u32);
        }
    }
}

/// Separate arrays and one byte per spike: what the Rust compiler can vectorise.
#[inline(never)]
fn arrays(potential: &mut [f32], p: &Parameters, current: &[f32], spikes: &mut [bool]) {
    for ((v, i), s) in potential.iter_mut().zip(current).zip(spikes) {
        let next = p.decay * *v + p.gain * i;
        *s = next > p.threshold;
        *v = if *s { p.reset } else { next };
    }
}

/// CPU time of this process in ns: other programs on the machine do not count.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or_else(|| {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed().as_nanos() as f64
    })
}

/// A case: its name, and what runs one step.
type Case<'a> = (&'static str, Box<dyn FnMut() + 'a>);

fn medians(n: usize, cases: &mut [Case<'_>]) -> Vec<f64> {
    // About 20 ms per measurement, cases in turn.
    let repeats = (20_000_000 / n).clamp(8, 20_000);
    let mut samples = vec![Vec::new(); cases.len()];
    for _ in 0..ROUNDS {
        for ((_, run), samples) in cases.iter_mut().zip(&mut samples) {
            let start = cpu();
            for _ in 0..repeats {
                run();
            }
            samples.push((cpu() - start) / repeats as f64 / n as f64);
        }
    }
    for samples in &mut samples {
        samples.sort_by(f64::total_cmp);
    }
    samples.iter().map(|s| s[ROUNDS / 2]).collect()
}

fn main() -> Result<()> {
    println!("LIF soma, ns per neuron-step (median of {ROUNDS}, CPU time, one core)");
    println!(
        "{:>9} {:>10} {:>10} {:>10} {:>14} {:>14}",
        "neurons", "spark", "scalar", "arrays", "scalar/spark", "arrays/spark"
    );
    for n in SIZES {
        let current: Vec<f32> = (0..n).map(|i| 150.0 + (i * 7919 % 200) as f32).collect();
        let mut model = Model::component(LeakySomaConfig::default()).input("current", [n]).build()?;
        model.set_inputs(&[("current", current.clone().into())])?;
        let instance = model.instance_mut().ok_or("compiled by default")?;

        let p = Parameters {
            decay: (-1.0f32 / 20.0).exp(),
            gain: (1.0 - (-1.0f32 / 20.0).exp()) * 0.1,
            reset: 10.0,
            threshold: 20.0,
        };
        let mut neurons: Vec<Neuron> = (0..n).map(|_| Neuron { potential: 0.0 }).collect();
        let mut potential = vec![0.0f32; n];
        let (mut list, mut flags) = (Vec::with_capacity(n), vec![false; n]);
        for _ in 0..100 {
            instance.step();
            scalar(&mut neurons, &p, &current, &mut list);
            arrays(&mut potential, &p, &current, &mut flags);
        }
        let ours = instance.state("potential").ok_or("the soma has a potential")?.to_f32();
        for ((a, b), c) in ours.iter().zip(&neurons).zip(&potential) {
            let near = |x: f32| (a - x).abs() <= 1e-5 * x.abs();
            assert!(near(b.potential) && near(*c), "the three compute the same: {a}, {}, {c}", b.potential);
        }
        let mut cases: Vec<Case<'_>> = vec![
            ("spark", Box::new(|| instance.step())),
            ("scalar", Box::new(|| scalar(black_box(&mut neurons), &p, black_box(&current), &mut list))),
            ("arrays", Box::new(|| arrays(black_box(&mut potential), &p, black_box(&current), &mut flags))),
        ];
        let m = medians(n, &mut cases);
        drop(cases);
        println!("{n:>9} {:>10.3} {:>10.3} {:>10.3} {:>13.1}x {:>13.1}x", m[0], m[1], m[2], m[1] / m[0], m[2] / m[0]);
    }
    Ok(())
}
