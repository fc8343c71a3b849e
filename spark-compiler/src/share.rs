//! Work on large arrays, shared among the processor's cores.

use std::sync::Mutex;
use std::thread::{available_parallelism, scope};

/// Elements from which on threads pay.
const LARGE: usize = 1 << 20;

/// Does `work` for each of `jobs`, which are about so many elements: the jobs of large arrays at the same time, in any order.
pub fn share<J>(elements: usize, jobs: impl Iterator<Item = J> + Send, work: impl Fn(J) + Sync) {
    let threads = if elements < LARGE { 1 } else { available_parallelism().map_or(1, usize::from).min(4) };
    if threads == 1 {
        return jobs.for_each(work);
    }
    let jobs = Mutex::new(jobs);
    let next = || jobs.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).next();
    let all = || {
        while let Some(job) = next() {
            work(job);
        }
    };
    scope(|scope| {
        // Without a thread, this one does more.
        for _ in 1..threads {
            let _ = std::thread::Builder::new().spawn_scoped(scope, all);
        }
        all();
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    #[test]
    fn each_job_is_done_once() {
        for elements in [0, LARGE] {
            let done: Vec<AtomicUsize> = (0..1000).map(|_| AtomicUsize::new(0)).collect();
            share(elements, 0..1000, |job: usize| {
                done[job].fetch_add(1, Relaxed);
            });
            assert!(done.iter().all(|times| times.load(Relaxed) == 1));
        }
    }
}
