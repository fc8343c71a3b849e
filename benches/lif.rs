//! ns per neuron-step of the LIF soma: Spark's kernel beside plain Rust loops, in one run.

mod support;

use spark::prelude::*;
use std::hint::black_box;
use support::{Case, ROUNDS, medians};

const SIZES: [usize; 3] = [1 << 10, 1 << 14, 1 << 20];

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

/// Parameters of [`Adaptive`].
#[spark::config]
struct AdaptiveConfig {
    /// Refractory period, in steps.
    #[param(default = 3.0)]
    refractory: f64,
}

/// A neuron with five states: excitatory and inhibitory current, potential, adaptation and refractory countdown.
#[spark::module(category = "Benchmark")]
struct Adaptive {
    #[config]
    config: AdaptiveConfig,
    #[variable]
    excitation: Real,
    #[variable]
    inhibition: Real,
    #[variable]
    potential: Real,
    #[variable]
    adaptation: Real,
    #[variable]
    countdown: Real,
}

#[spark::module]
impl Adaptive {
    fn build(cx: &mut Build, config: AdaptiveConfig) -> Result<Self> {
        let units = cx.shape("excitatory")?;
        let zeros = cx.zeros(&units);
        Ok(Self { excitation: zeros, inhibition: zeros, potential: zeros, adaptation: zeros, countdown: zeros, config })
    }

    #[step(out = spikes)]
    fn step(&mut self, excitatory: CurrentArray, inhibitory: CurrentArray) -> SpikeArray {
        self.excitation = self.excitation * 0.8 + excitatory;
        self.inhibition = self.inhibition * 0.9 + inhibitory;
        let current = self.excitation - self.inhibition + 0.03;
        let ready = self.countdown <= 0.0;
        if ready {
            self.potential = current + self.potential * 0.98;
        }
        let fired = self.potential > self.adaptation + 1.0 && ready;
        self.adaptation *= 0.99;
        self.countdown = (self.countdown - 1.0).max(0.0);
        if fired {
            self.potential = Real::from(0.0);
            self.adaptation += 0.05;
            self.countdown = Real::from(self.config.refractory);
        }
        SpikeArray::new(fired, None)
    }
}

/// Steps per measurement: about 20 ms.
fn repeats(n: usize) -> usize {
    (20_000_000 / n).clamp(8, 20_000)
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
        let m = medians(n, repeats(n), &mut cases);
        drop(cases);
        println!("{n:>9} {:>10.3} {:>10.3} {:>10.3} {:>13.1}x {:>13.1}x", m[0], m[1], m[2], m[1] / m[0], m[2] / m[0]);
    }
    println!("\nfive-state neuron, ns per neuron-step");
    for n in SIZES {
        let config = AdaptiveConfig::default();
        let mut model = Model::component(config).input("excitatory", [n]).input("inhibitory", [n]).build()?;
        let input: Vec<f32> = (0..n).map(|i| (i * 7919 % 100) as f32 * 1e-3).collect();
        model.set_inputs(&[("excitatory", input.clone().into()), ("inhibitory", input.into())])?;
        let instance = model.instance_mut().ok_or("compiled by default")?;
        let mut cases: Vec<Case<'_>> = vec![("spark", Box::new(|| instance.step()))];
        println!("{n:>9} {:>10.3}", medians(n, repeats(n), &mut cases)[0]);
    }
    Ok(())
}
