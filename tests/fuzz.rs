//! Readers of files meet what no program wrote: valid files, changed at random.
//!
//! Each test runs a fixed number of cases from a fixed seed, and then others for a short time from a seed of the moment, which
//! a failure prints. Nothing may panic; what is accepted must survive being written and read again.

#[path = "support/archives.rs"]
#[allow(dead_code)]
mod archives;

use archives::{put_together, sign, take_apart, unzip, zip};
use proptest::prelude::*;
use proptest::test_runner::{Config as RunnerConfig, RngAlgorithm, TestRng, TestRunner};
use spark::checkpoint::Checkpoint;
use spark::model::Blueprint;
use spark::prelude::*;
use spark::scfg;
use spark_compiler::ir;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// Time for cases from a seed of the moment, per test.
const RANDOM_TIME: Duration = Duration::from_secs(1);

/// One change of a file. Positions are relative to its length.
#[derive(Clone, Debug)]
enum Mutation {
    /// Flips a bit.
    Flip(f64, u8),
    /// Puts bytes in.
    Insert(f64, Vec<u8>),
    /// Puts bytes over others.
    Overwrite(f64, Vec<u8>),
    /// Takes a range out.
    Delete(f64, f64),
    /// Repeats a range.
    Repeat(f64, f64, u8),
    /// Moves a range elsewhere.
    Move(f64, f64, f64),
    /// Cuts the end off.
    Truncate(f64),
    /// Replaces a number in the text.
    Number(f64, usize),
}

/// Numbers that are often not thought of.
const NUMBERS: [&str; 14] = [
    "0",
    "-1",
    "1e999",
    "-0.0",
    "1e-320",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "18446744073709551616",
    "1099511627776",
    "0.1",
    "NaN",
    "null",
    "[]",
];

/// Pieces of the formats.
fn token() -> impl Strategy<Value = Vec<u8>> {
    let tokens: [&[u8]; 30] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"\\u0000",
        b"\"__type__\"",
        b"\"__cfg__\"",
        b"\"__data__\"",
        b"\"jax_array\"",
        b"\"shape\"",
        b"\"module_specs\"",
        b"\"modules_specs\"",
        b"\"__module_type__\"",
        b"\"lif_neuron\"",
        b"\"units\"",
        b"true",
        b"null",
        b"[[[[[[[[[[[[[[[[",
        b"{\"a\":",
        b"\xff",
        b"\0\0\0\0\0\0\0\0",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
        b"data_offsets",
        b"F32",
        b"%0",
        b"state s0",
        b"f32[units:3]",
    ];
    let known = prop::sample::select(tokens.map(<[u8]>::to_vec).to_vec());
    prop_oneof![3 => known, 1 => prop::collection::vec(any::<u8>(), 1..8)]
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = || 0.0..1.0f64;
    prop_oneof![
        (place(), 0..8u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        (place(), token()).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (place(), token()).prop_map(|(at, bytes)| Mutation::Overwrite(at, bytes)),
        (place(), 0.0..0.1f64).prop_map(|(at, len)| Mutation::Delete(at, len)),
        (place(), 0.0..0.1f64, 1..4u8).prop_map(|(at, len, times)| Mutation::Repeat(at, len, times)),
        (place(), 0.0..0.1f64, place()).prop_map(|(at, len, to)| Mutation::Move(at, len, to)),
        place().prop_map(Mutation::Truncate),
        (place(), 0..NUMBERS.len()).prop_map(|(at, number)| Mutation::Number(at, number)),
    ]
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let len = bytes.len();
        if len == 0 {
            return;
        }
        let place = |at: f64| ((at * len as f64) as usize).min(len - 1);
        let range = |at: f64, part: f64| place(at)..(place(at) + 1 + (part * len as f64) as usize).min(len);
        match self {
            Mutation::Flip(at, bit) => bytes[place(*at)] ^= 1 << bit,
            Mutation::Insert(at, more) => drop(bytes.splice(place(*at)..place(*at), more.iter().copied())),
            Mutation::Overwrite(at, more) => {
                let end = (place(*at) + more.len()).min(len);
                drop(bytes.splice(place(*at)..end, more.iter().copied()));
            }
            Mutation::Delete(at, part) => drop(bytes.drain(range(*at, *part))),
            Mutation::Repeat(at, part, times) => {
                let piece = bytes[range(*at, *part)].repeat(usize::from(*times));
                drop(bytes.splice(place(*at)..place(*at), piece));
            }
            Mutation::Move(at, part, to) => {
                let piece: Vec<u8> = bytes.drain(range(*at, *part)).collect();
                let to = place(*to).min(bytes.len());
                drop(bytes.splice(to..to, piece));
            }
            Mutation::Truncate(at) => bytes.truncate(place(*at)),
            Mutation::Number(at, number) => {
                let digit = |byte: &u8| byte.is_ascii_digit() || b"-.e+".contains(byte);
                let Some(start) = (place(*at)..len).find(|&i| bytes[i].is_ascii_digit()) else { return };
                let end = (start..len).find(|&i| !digit(&bytes[i])).unwrap_or(len);
                drop(bytes.splice(start..end, NUMBERS[*number].bytes()));
            }
        }
    }
}

/// A file and up to four changes of it.
fn changed(files: usize) -> impl Strategy<Value = (usize, Vec<Mutation>)> {
    (0..files, prop::collection::vec(mutation(), 0..5))
}

fn apply(bytes: &[u8], mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
    bytes
}

/// Checks `holds` for `cases` cases from a fixed seed, then for others as long as [`RANDOM_TIME`] lasts.
fn fuzz<S: Strategy>(cases: u32, strategy: S, holds: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let run = |seed: u64, cases: u32| {
        let mut bytes = [0x5A; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let config =
            RunnerConfig { cases, failure_persistence: None, max_shrink_iters: 2000, ..RunnerConfig::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        runner.run(&strategy, &holds).unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
    };
    run(0, cases);
    let start = Instant::now();
    let mut seed = SystemTime::UNIX_EPOCH.elapsed().map_or(1, |now| now.as_nanos() as u64);
    while start.elapsed() < RANDOM_TIME {
        run(seed, 100);
        seed = seed.wrapping_add(1);
    }
}

fn golden(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let files = paths.iter().map(|path| std::fs::read(path).unwrap());
    // Long ones take their time, and are made of the same.
    files.filter(|bytes| bytes.len() < 20_000).collect()
}

/// What is read must be written and read again the same.
fn round_trips(tree: &spark::config::ConfigTree) -> Result<(), TestCaseError> {
    let Ok(bytes) = scfg::write(tree, false) else { return Ok(()) };
    let again = scfg::parse(&bytes).map_err(|e| TestCaseError::fail(format!("what was written is refused: {e}")))?;
    let bytes_again = scfg::write(&again, false).map_err(|e| TestCaseError::fail(e.to_string()))?;
    prop_assert!(bytes == bytes_again, "written again, the file differs");
    Ok(())
}

#[test]
fn configurations() {
    let files = golden("golden/scfg");
    assert!(files.len() > 5);
    fuzz(6000, changed(files.len()), |(file, mutations)| {
        match scfg::parse(&apply(&files[file], &mutations)) {
            Ok(tree) => {
                round_trips(&tree)?;
                // Not built: a number that was changed may ask for a large model, rightly.
                drop(Blueprint::new(tree).map(|blueprint| (blueprint.ports(), blueprint.parameter_errors())));
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
        Ok(())
    });
}

/// Checkpoints of some models.
fn checkpoints() -> Vec<Vec<u8>> {
    let soma = Model::component(LeakySomaConfig::default()).input("current", [2]);
    let config = NeuronConfig::new([3], LIFNeuron::modules());
    let neuron = Model::component(config).input("in_spikes", InputShape::from([4]).with_mask([4])).dtype(DType::F16);
    let source = Model::component(PoissonSourceConfig::new(3)).record("counts").contract(false);
    [soma, neuron, source].map(|builder| Checkpoint::of(&builder.build().unwrap()).to_bytes().unwrap()).to_vec()
}

fn reads(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(checkpoint) = Checkpoint::from_bytes(bytes) {
        let bytes = checkpoint.to_bytes().map_err(|e| TestCaseError::fail(format!("read but not written: {e}")))?;
        let again =
            Checkpoint::from_bytes(&bytes).map_err(|e| TestCaseError::fail(format!("written, then refused: {e}")))?;
        prop_assert!(again == checkpoint, "written and read again, the checkpoint differs");
    }
    Ok(())
}

#[test]
fn checkpoint_files() {
    let files = checkpoints();
    fuzz(4000, changed(files.len()), |(file, mutations)| reads(&apply(&files[file], &mutations)));
}

#[test]
fn checkpoint_archives() {
    let archives: Vec<Vec<u8>> = checkpoints().iter().map(|bytes| unzip(bytes)).collect();
    fuzz(2000, changed(archives.len()), |(file, mutations)| reads(&zip(&apply(&archives[file], &mutations))));
}

/// The parts of checkpoints, with digests and lengths put right: as who means harm would do it.
#[test]
fn checkpoint_parts() {
    let files: Vec<archives::Parts> = checkpoints().iter().map(|bytes| take_apart(bytes)).collect();
    fuzz(3000, (changed(files.len()), 0..3usize), |((file, mutations), part)| {
        let mut parts = files[file].clone();
        let at = part % parts.len();
        parts[at].1 = apply(&parts[at].1, &mutations);
        if at > 0 {
            sign(&mut parts);
        }
        reads(&put_together(&parts))
    });
}

#[test]
fn states() {
    let files: Vec<Vec<u8>> = checkpoints().iter().filter_map(|bytes| Some(take_apart(bytes).pop()?.1)).collect();
    fuzz(4000, changed(files.len()), |(file, mutations)| {
        if let Ok(state) = State::from_safetensors(&apply(&files[file], &mutations)) {
            let bytes = state.to_safetensors().map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(State::from_safetensors(&bytes).unwrap(), state);
        }
        Ok(())
    });
}

#[test]
fn programs_as_text() {
    // The program is what comes before the first line of dashes or the first expectation.
    let programs: Vec<Vec<u8>> = golden("filetests").into_iter().filter(|text| text.len() < 4000).collect();
    assert!(programs.len() > 3);
    fuzz(4000, changed(programs.len()), |(file, mutations)| {
        let bytes = apply(&programs[file], &mutations);
        let text = String::from_utf8_lossy(&bytes);
        let start = text.find("program").unwrap_or(0);
        if let Ok(program) = ir::parse::parse(&text[start..])
            && ir::verify(&program).is_ok()
        {
            let printed = program.to_string();
            let again = ir::parse::parse(&printed).map_err(|e| TestCaseError::fail(format!("{e}\n{printed}")))?;
            prop_assert_eq!(again.to_string(), printed);
        }
        Ok(())
    });
}
