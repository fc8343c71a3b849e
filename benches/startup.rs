//! From a `.scfg` file to the first step: the LIF neuron that the Python Spark configured.

use spark::prelude::*;
use std::time::{Duration, Instant};

const ROUNDS: usize = 31;

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn main() -> Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/scfg/neuron_lif_f32.xz.scfg");
    let (mut build, mut trace, mut compile, mut total) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let inputs = InputShape::new([80]).with_mask([80]);
        let mut model = Model::from_file(path)?.input("in_spikes", inputs).build()?;
        model.step(&[("in_spikes", vec![true; 80].into())])?;
        total.push(start.elapsed());
        let t = model.timings();
        build.push(t.build);
        trace.push(t.trace);
        compile.push(t.compile);
    }
    println!("LIF neuron, 48 x 80 synapses, from .scfg to first step (median of {ROUNDS}, wall time)");
    let [build, trace, compile, total] = [build, trace, compile, total].map(median);
    println!("build {build:.2} ms, trace {trace:.2} ms, compile {compile:.2} ms, first step done after {total:.2} ms");
    Ok(())
}
