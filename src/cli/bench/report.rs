//! What a benchmark prints: for people, or one line of JSON with the fields of the peers' scripts.

use super::networks::Case;
use super::timing::{Activity, Plan, Timed};
use serde_json::{Value, json};
use spark::prelude::DType;
use spark_compiler::passes::CompileOptions;
use std::fmt::Write;

/// The figures of one network.
pub(super) struct Report<'a> {
    pub(super) case: &'a Case,
    pub(super) timed: &'a Timed<'a>,
    pub(super) activity: &'a Activity,
    pub(super) plan: Plan,
    pub(super) dtype: DType,
    pub(super) options: CompileOptions,
}

impl Report<'_> {
    /// Wall and CPU time of a step, in ms.
    fn per_step(&self) -> (f64, f64) {
        let (wall, cpu) = self.timed.medians();
        let per_step = |seconds: f64| seconds / f64::from(self.plan.steps) * 1e3;
        (per_step(wall), per_step(cpu))
    }

    /// One object: `sim_s`, `cpu_s`, `spikes` and `synaptic_events` are of one run, rates and `cv_isi` of all.
    pub(super) fn json(&self) -> Value {
        let Report { case, timed, activity, plan, dtype, options } = self;
        let (wall, cpu) = timed.medians();
        let (_, ms_per_step) = self.per_step();
        let round = |x: f64, digits: i32| (x * 10f64.powi(digits)).round() / 10f64.powi(digits);
        let of_run = |count: u64| count as f64 / f64::from(plan.runs);
        let runs: Vec<f64> = timed.wall().iter().map(|s| round(s / f64::from(plan.steps) * 1e3, 6)).collect();
        let mut line = json!({
            "peer": concat!("spark ", env!("CARGO_PKG_VERSION")), "benchmark": case.name, "N": case.neurons,
            "synapses": case.synapses, "simulated_ms": round(f64::from(plan.steps) * case.dt, 6), "dt": case.dt,
            "steps": plan.steps, "runs": plan.runs, "dtype": dtype.long_name(), "build_s": round(timed.build_s, 6),
            "compile_s": round(timed.compile_s, 6), "sim_s": wall, "cpu_s": cpu, "ms_per_step": ms_per_step,
            "runs_ms_per_step": runs, "memory_bytes": timed.memory_bytes(), "peak_rss_mb": peak_rss_mb(),
            "spikes": round(of_run(activity.spikes), 2), "mean_rate_hz": round(activity.mean_rate, 4),
            "pop_rates_hz": activity.rates.iter().map(|(_, rate)| round(*rate, 3)).collect::<Vec<f64>>(),
            "populations": activity.rates.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            "cv_isi": activity.cv_isi.map(|cv| round(cv, 4)), "synaptic_events": round(of_run(activity.events), 1),
            "ns_per_neuron_step_cpu": round(ms_per_step * 1e6 / case.neurons as f64, 4), "passes": options.on(),
        });
        if activity.events > 0 {
            line["Mevents_per_cpu_s"] = json!(round(of_run(activity.events) / cpu.max(1e-9) * 1e-6, 3));
        }
        let pools = [("scale", case.scale), ("input_rate_hz", case.input_rate)];
        pools.into_iter().for_each(|(name, value)| line[name] = json!(value));
        line
    }

    /// A few lines.
    pub(super) fn text(&self) -> String {
        let Report { case, timed, activity, plan, dtype, options } = self;
        let (wall, cpu) = self.per_step();
        let unit = |count: usize| cpu * 1e6 / count.max(1) as f64;
        let mut out = format!("{}: {} neurons", case.name, case.neurons);
        if case.synapses > 0 {
            let _ = write!(out, ", {} synapses", case.synapses);
        }
        let _ = writeln!(out, ", {}", dtype.long_name());
        let mut line = |what: &str, value: f64, digits: usize, unit: &str| {
            let _ = writeln!(out, "  {what:<11}{value:>10.digits$} {unit}");
        };
        line("step", cpu * 1e3, 1, &format!("µs of CPU time, {:.1} µs of wall time", wall * 1e3));
        line("per neuron", unit(case.neurons), 2, "ns");
        if case.synapses > 0 {
            line("per synapse", unit(case.synapses), 4, "ns");
        }
        let several = if activity.rates.len() > 1 { " (mean of all neurons)" } else { "" };
        line("rate", activity.mean_rate, 1, &format!("Hz{several}"));
        for (name, rate) in activity.rates.iter().filter(|_| activity.rates.len() > 1) {
            line("", *rate, 1, &format!("Hz  {name}"));
        }
        if let Some(scale) = case.scale {
            line("scale", scale, 3, "of the initial weights");
        }
        line("build", timed.build_s * 1e3, 1, "ms");
        line("compile", timed.compile_s * 1e3, 1, "ms");
        line("memory", timed.memory_bytes() as f64 / (1 << 20) as f64, 1, "MiB of arrays");
        let _ = writeln!(
            out,
            "  medians of {} runs of {} steps, after one untimed; passes: {}",
            plan.runs,
            plan.steps,
            if options.on().is_empty() { "none".to_string() } else { options.on().join(", ") }
        );
        out
    }
}

/// The most memory this process had, in MiB, where the system tells.
fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((kib / 102.4).round() / 10.0)
}
