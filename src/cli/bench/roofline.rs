//! What this machine allows: how fast one core streams arrays, adds weights to targets that lie apart, and changes rows of
//! weights.
//!
//! A pool cannot take less time for a step than its arriving spikes take to be added up, plus the weights of the neurons that spike to be read
//! and written. Both are measured on arrays of the pool's size and layout: a spike reaches, at once, the targets of
//! one delay, a sorted eighth of a row, by 16-bit index and `f32` weight. Loops are plain Rust, medians of [`REPEATS`].

use super::timing::median;
use crate::cli::print;
use serde_json::json;
use spark::error::Result;
use std::hint::black_box;

/// Repeats a median is taken of.
const REPEATS: usize = 7;
/// Work of a repeat: elements. Tests of the command line need no good figures.
const ELEMENTS: usize = if cfg!(debug_assertions) { 100_000 } else { 20_000_000 };
/// Largest table that is set up, in elements: several times any cache.
const LARGEST: usize = 48 << 20;
/// Delays of a pool, in steps.
const DELAYS: usize = 8;

/// The bounds of a pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) neurons: usize,
    /// Weights per second that can be added to their targets.
    pub(super) added: f64,
    /// Weights per second that can be read, changed and written, by rows.
    pub(super) changed: f64,
}

impl Bounds {
    /// Least time of a step in ms, for so many spikes of neurons and of inputs per step.
    pub(super) fn ms_per_step(&self, of_neurons: f64, of_inputs: f64) -> f64 {
        let n = self.neurons as f64;
        let (arrivals, changes) = ((of_neurons + of_inputs) * n, of_neurons * 2.0 * n);
        (arrivals / self.added + changes / self.changed) * 1e3
    }
}

/// Streaming bandwidth of arrays that have `bytes` together: reading, and `a = b + s·c`; in GB/s.
#[derive(Clone, Copy, Debug)]
struct Stream {
    bytes: usize,
    read: f64,
    triad: f64,
}

/// Prints the roofline.
///
/// # Errors
/// If standard output cannot be written to.
pub(super) fn roofline(as_json: bool) -> Result<()> {
    let sizes = [16 << 10, 512 << 10, 8 << 20, 256 << 20].map(stream);
    let bounds = [128, 512, 1024, 2048, 4096, 8192].map(bounds);
    if as_json {
        for s in sizes {
            print(&format!(
                "{}\n",
                json!({"test": "stream", "bytes": s.bytes, "read_GBps": s.read, "triad_GBps": s.triad})
            ))?;
        }
        for b in bounds {
            let line = json!({"test": "pool", "N": b.neurons, "added_per_s": b.added, "changed_per_s": b.changed});
            print(&format!("{line}\n"))?;
        }
        return Ok(());
    }
    let mut text = String::from("| arrays | read, GB/s | a = b + s·c, GB/s |\n|---:|---:|---:|\n");
    for Stream { bytes, read, triad } in sizes {
        text += &format!("| {} KiB | {read:.1} | {triad:.1} |\n", bytes >> 10);
    }
    text += "\n| pool | weights added to targets, 10⁹/s | weights changed by rows, 10⁹/s |\n|---:|---:|---:|\n";
    for Bounds { neurons, added, changed } in bounds {
        text += &format!("| {neurons} | {:.2} | {:.2} |\n", added * 1e-9, changed * 1e-9);
    }
    print(&text)
}

/// The bounds of a pool of `neurons` neurons, at most 65536.
pub(super) fn bounds(neurons: usize) -> Bounds {
    let neurons = neurons.clamp(1, 1 << 16);
    Bounds { neurons, added: added(neurons), changed: changed(neurons) }
}

/// A small generator: quality does not matter here, speed does.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(2_685_821_657_736_338_717)
    }

    fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 32) as usize * n) >> 32
    }
}

/// Elements per second of `work`, which says how many it did.
fn throughput(mut work: impl FnMut() -> usize) -> f64 {
    work();
    let rate = |_| {
        let start = cpu_seconds();
        let done = work();
        done as f64 / (cpu_seconds() - start).max(1e-9)
    };
    median(&(0..REPEATS).map(rate).collect::<Vec<f64>>())
}

fn cpu_seconds() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

fn stream(bytes: usize) -> Stream {
    let n = bytes / 4;
    let a = vec![1.0f32; n];
    let times = (8 * ELEMENTS / n).max(1);
    let read = throughput(|| {
        for _ in 0..times {
            let mut sums = [0.0f32; 64];
            for chunk in black_box(&a).as_chunks::<64>().0 {
                sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += x);
            }
            black_box(sums);
        }
        times * n
    });
    let (mut a, b, c) = (vec![1.0f32; n / 3], vec![1.0f32; n / 3], vec![1.0f32; n / 3]);
    let triad = throughput(|| {
        for _ in 0..times {
            a.iter_mut().zip(&b).zip(&c).for_each(|((a, b), c)| *a = b + 1.0001 * c);
            black_box(&mut a);
        }
        times * a.len()
    });
    Stream { bytes, read: read * 4e-9, triad: triad * 12e-9 }
}

/// How many weights per second are added to targets.
fn added(neurons: usize) -> f64 {
    let rows = (2 * neurons).min(LARGEST / neurons).max(1);
    let mut random = Random(88_172_645_463_325_252);
    let (mut targets, mut starts) = (Vec::with_capacity(rows * neurons), vec![0]);
    for _ in 0..rows {
        let mut of_delay: [Vec<u16>; DELAYS] = Default::default();
        (0..neurons).for_each(|target| of_delay[random.below(DELAYS)].push(target as u16));
        for of_delay in of_delay {
            targets.extend(of_delay);
            starts.push(targets.len());
        }
    }
    let weights = vec![1e-3f32; targets.len()];
    // As large as indices reach: no index needs a check.
    let mut currents: Box<[f32; 1 << 16]> = vec![0.0; 1 << 16].try_into().expect("of this length");
    throughput(|| {
        let mut done = 0;
        while done < ELEMENTS {
            let row = random.below(starts.len() - 1);
            let part = starts[row]..starts[row + 1];
            done += part.len().max(1);
            let arriving = targets[part.clone()].iter().zip(&weights[part]);
            arriving.for_each(|(&target, weight)| currents[usize::from(target)] += weight);
        }
        black_box(&mut currents);
        done
    })
}

/// How many weights per second are read, changed and written.
fn changed(neurons: usize) -> f64 {
    let row = 2 * neurons;
    let rows = neurons.min(LARGEST / row).max(1);
    let mut weights = vec![1.0f32; rows * row];
    let traces = vec![1e-3f32; row];
    let mut random = Random(88_172_645_463_325_252);
    throughput(|| {
        let mut done = 0;
        while done < ELEMENTS {
            let start = random.below(rows) * row;
            weights[start..][..row].iter_mut().zip(&traces).for_each(|(weight, trace)| *weight += 1e-6 * trace);
            done += row;
        }
        black_box(&mut weights);
        done
    })
}
