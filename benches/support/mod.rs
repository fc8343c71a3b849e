//! What the benchmarks time with: CPU time of this thread, cases in turn, medians.

/// Rounds a median is taken of.
pub(crate) const ROUNDS: usize = 21;

/// A case: its name, and what runs one step.
pub(crate) type Case<'a> = (&'static str, Box<dyn FnMut() + 'a>);

/// CPU time of this thread in ns: other programs on the machine do not count.
fn cpu() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
}

/// ns per element of a step over `elements`, the median for each case. A case runs `repeats` steps in a row before it is
/// the next one's turn, so that a noisy machine disturbs all alike.
pub(crate) fn medians(elements: usize, repeats: usize, cases: &mut [Case<'_>]) -> Vec<f64> {
    let mut samples = vec![Vec::new(); cases.len()];
    for _ in 0..ROUNDS {
        for ((_, run), samples) in cases.iter_mut().zip(&mut samples) {
            let start = cpu();
            for _ in 0..repeats {
                run();
            }
            samples.push((cpu() - start) / repeats as f64 / elements as f64);
        }
    }
    for samples in &mut samples {
        samples.sort_by(f64::total_cmp);
    }
    samples.iter().map(|s| s[ROUNDS / 2]).collect()
}
