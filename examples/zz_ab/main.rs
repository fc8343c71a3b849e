//! AB brain: time and bits with and without passes.
use spark::controller::register_neuron_from_file;
use spark::prelude::*;
use spark_compiler::passes::CompileOptions;
use std::time::Instant;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/models");
    register_neuron_from_file("ALIFModNeuron", format!("{folder}/alif_mod_neuron.scfg")).unwrap();
    let dtype = if a.get(1).map(String::as_str) == Some("f16") { DType::F16 } else { DType::F32 };
    let steps: usize = a.get(2).and_then(|s| s.parse().ok()).unwrap_or(300);
    let names = ["signal", "mod_a_ex", "mod_b_ex", "mod_a_in", "mod_b_in"];
    let mut results: Vec<Vec<Vec<f64>>> = Vec::new();
    let none = CompileOptions {
        narrow: false,
        delay_filters: false,
        sum_filters: false,
        events: false,
        ..CompileOptions::default()
    };
    for (name, options) in [
        ("none", none),
        ("narrow", CompileOptions { narrow: true, ..none }),
        ("events", CompileOptions { events: true, ..none }),
        ("exact", CompileOptions::exact()),
        ("default", CompileOptions::default()),
    ] {
        let b = Model::from_file(format!("{folder}/ab_brain.scfg")).unwrap().dtype(dtype).options(options);
        let b = names.iter().fold(b, |b, n| b.input(*n, if *n == "signal" { vec![4] } else { vec![1] }));
        let b = ["A_excitatory", "B_excitatory", "A_inhibitory", "B_inhibitory"]
            .iter()
            .fold(b, |b, p| b.record(format!("{p}.out_spikes")));
        let t0 = Instant::now();
        let mut m = b.build().unwrap();
        let t = m.timings();
        let mut seen = Vec::new();
        let mut times = Vec::new();
        for s in 0..steps {
            let sig: Vec<f32> = (0..4)
                .map(|i| [0.1f32, -0.2, 0.05, 0.3][i] + 0.3 * (s as f32 * [0.01f32, 0.013, 0.007, 0.02][i]).sin())
                .collect();
            let md = vec![-0.01f32];
            let inputs = vec![
                ("signal", sig.into()),
                ("mod_a_ex", md.clone().into()),
                ("mod_b_ex", md.clone().into()),
                ("mod_a_in", md.clone().into()),
                ("mod_b_in", md.into()),
            ];
            let start = Instant::now();
            let o = m.step(&inputs).unwrap();
            times.push(start.elapsed().as_secs_f64() * 1e6);
            let mut row = o.get("action").unwrap().value().to_f64();
            for p in ["A_excitatory", "B_excitatory", "A_inhibitory", "B_inhibitory"] {
                row.extend(o.get(&format!("{p}.out_spikes")).unwrap().value().to_f64());
            }
            seen.push(row);
        }
        times.sort_by(f64::total_cmp);
        let st = m.instance().unwrap().kernel().stats();
        println!(
            "  optimize {:?} lower {:?} code {:?} ({} clif, {} bytes, {} functions) memory {} kB",
            st.optimize,
            st.lower,
            st.code.compile_time,
            st.code.clif_instructions,
            st.code.code_bytes,
            st.code.functions,
            st.memory_bytes / 1024
        );
        let k = m.state("A_excitatory.synapses.kernel").unwrap().to_f64();
        seen.push(k);
        let first = results.first().map(|r: &Vec<Vec<f64>>| r.iter().zip(&seen).position(|(x, y)| x != y));
        println!(
            "{name:8} build {:?} trace {:?} compile {:?} total {:?}; step median {:.0} us, min {:.0}; rate {:.1} Hz; first difference {first:?}",
            t.build,
            t.trace,
            t.compile,
            t0.elapsed(),
            times[times.len() / 2],
            times[0],
            1000.0 * seen[..steps].iter().map(|r| r[2..].iter().sum::<f64>()).sum::<f64>() / (steps as f64 * 640.0)
        );
        results.push(seen);
    }
}
