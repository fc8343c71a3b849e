//! Files that are damaged, or made to do harm: refused with a clear error, and within bounded memory.
//!
//! Every case says how much memory reading it may take at most. The tests of this file run one after another, because the
//! allocator counts for the whole program.

#[path = "support/archives.rs"]
mod archives;
#[path = "support/memory.rs"]
mod memory;

use archives::{Parts, header, manifest, put_together, sign, take_apart, unzip, zip};
use flate2::Compression;
use flate2::write::GzEncoder;
use memory::peak_of;
use serde_json::{Value, json};
use spark::checkpoint::Checkpoint;
use spark::controller::{ModuleSpecs, NeuronConfig, PortMap, register_neuron};
use spark::prelude::*;
use spark::scfg;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tar::{Builder, EntryType};

const MIB: usize = 1 << 20;

/// One test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A small checkpoint after some steps, and what it holds.
fn small() -> (Checkpoint, Vec<u8>) {
    let mut model = Model::component(LeakySomaConfig::default()).input("current", [2]).build().unwrap();
    model.run(3, &[("current", vec![300.0f32, 900.0].into())]).unwrap();
    let checkpoint = Checkpoint::of(&model);
    let bytes = checkpoint.to_bytes().unwrap();
    (checkpoint, bytes)
}

/// Checks that the bytes of a checkpoint are refused with `text`, within `limit` bytes of memory.
#[track_caller]
fn refuses(bytes: &[u8], text: &str, limit: usize) {
    let (read, peak) = peak_of(|| Checkpoint::from_bytes(bytes).map(drop));
    let message = read.expect_err("the file is refused").to_string();
    assert!(message.contains(text), "`{text}` is not in\n{message}");
    assert!(message.len() < 4096, "an error to be read: {} bytes", message.len());
    assert!(peak < limit, "{peak} bytes of memory, {limit} are allowed: {message}");
}

/// The small checkpoint with its parts changed; the manifest still says what they are.
fn changed(change: impl FnOnce(&mut Parts)) -> Vec<u8> {
    let mut parts = take_apart(&small().1);
    change(&mut parts);
    sign(&mut parts);
    put_together(&parts)
}

/// The small checkpoint with another manifest.
fn with_manifest(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut parts = take_apart(&small().1);
    let mut manifest = manifest(&parts);
    change(&mut manifest);
    parts[0].1 = serde_json::to_vec(&manifest).unwrap();
    put_together(&parts)
}

/// Zeros, compressed.
fn bomb(mib: usize) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    let block = vec![0; MIB];
    (0..mib).for_each(|_| out.write_all(&block).unwrap());
    out.finish().unwrap()
}

#[test]
fn the_tests_own_tools_make_sound_checkpoints() {
    let _alone = alone();
    let (checkpoint, _) = small();
    assert_eq!(Checkpoint::from_bytes(&changed(|_| ())).unwrap(), checkpoint);
    assert_eq!(Checkpoint::from_bytes(&with_manifest(|_| ())).unwrap(), checkpoint);
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let _alone = alone();
    refuses(b"", "the file is empty", MIB);
    refuses(b"\x1f", "truncated", MIB);
    refuses(b"{\"__type__\": \"x\"}", "this is not a checkpoint", MIB);
    refuses(&zip(b""), "the part `manifest.json` is missing", MIB);
    refuses(&zip(&[0; 1024]), "the part `manifest.json` is missing", MIB);
    refuses(&zip(b"no archive"), "damaged", MIB);
    refuses(&[&small().1[..], b"x"].concat(), "something follows the checkpoint's end", MIB);
    refuses(&[&small().1[..], &small().1[..]].concat(), "something follows the checkpoint's end", MIB);
    let tar = unzip(&small().1);
    refuses(&zip(&[&tar[..], b"x"].concat()), "something follows the archive's end", MIB);
}

#[test]
fn entries_that_do_not_belong_are_refused() {
    let _alone = alone();
    let parts = take_apart(&small().1);
    let insert = |at: usize, name: &str| {
        let mut parts = parts.clone();
        parts.insert(at, (name.into(), b"x".to_vec()));
        put_together(&parts)
    };
    for name in ["../../etc/passwd", "/etc/passwd", "model.scfg/../x", "\u{1b}[31mred", "a\nb"] {
        let shown = name.escape_debug().to_string();
        refuses(&insert(1, name), &format!("an entry `{shown}` in the place of `model.scfg`"), MIB);
        refuses(&insert(parts.len(), name), &format!("an entry `{shown}` that no checkpoint has"), MIB);
    }
    refuses(&insert(2, "model.scfg"), "an entry `model.scfg` in the place of `state.safetensors`", MIB);
    refuses(&insert(parts.len(), "state.safetensors"), "an entry `state.safetensors` that no checkpoint has", MIB);
    let mut swapped = parts.clone();
    swapped.swap(1, 2);
    refuses(&put_together(&swapped), "an entry `state.safetensors` in the place of `model.scfg`", MIB);
    refuses(&put_together(&parts[..2].to_vec()), "the part `state.safetensors` is missing", MIB);

    // A link called as a part, to a file of the reader's.
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Directory, EntryType::Fifo, EntryType::GNUSparse] {
        let mut archive = Builder::new(Vec::new());
        let (name, content) = &parts[0];
        archive.append(&header(name, content.len() as u64), &content[..]).unwrap();
        let mut link = header("model.scfg", 0);
        link.set_entry_type(kind);
        link.as_mut_bytes()[157..168].copy_from_slice(b"/etc/passwd");
        link.set_cksum();
        archive.append(&link, &[][..]).unwrap();
        refuses(&zip(&archive.into_inner().unwrap()), "model.scfg: this entry is a link or otherwise special", MIB);
    }
}

#[test]
fn a_manifest_that_lies_is_refused() {
    let _alone = alone();
    let wrong_hash = with_manifest(|m| m["parts"][1]["sha256"] = json!("0".repeat(64)));
    refuses(&wrong_hash, "state.safetensors: its SHA-256 is not the one in the manifest", MIB);
    let shorter = with_manifest(|m| m["parts"][0]["bytes"] = json!(1));
    refuses(&shorter, "bytes are more than the 1 there may be", MIB);
    let longer = with_manifest(|m| m["parts"][1]["bytes"] = json!(1u64 << 62));
    refuses(&longer, "where the manifest says 4611686018427387904", MIB);
    let huge = with_manifest(|m| m["parts"][0]["bytes"] = json!(1u64 << 40));
    refuses(&huge, "is larger than 64 MiB", MIB);
    refuses(&with_manifest(|m| m["format"] = json!(2)), "format 2, written by Spark", MIB);
    refuses(&with_manifest(|m| m["steps"] = json!(4)), "3 steps, where the manifest says 4", MIB);
    refuses(&with_manifest(|m| m["steps"] = json!(-1)), "not a manifest", MIB);
    refuses(&with_manifest(|m| m["more"] = json!(1)), "unknown field `more`", MIB);
    refuses(&with_manifest(|m| m["numerics"] = json!({"dtype": null})), "missing field `contract`", MIB);
    refuses(&with_manifest(|m| m["parts"] = json!([])), "lists the parts ", MIB);
    let traversal = with_manifest(|m| m["parts"][0]["name"] = json!("../model.scfg"));
    refuses(&traversal, "lists the parts", MIB);
    let deep = format!("{{\"format\": 1, \"spark\": \"\", \"inputs\": {}", "[".repeat(100_000));
    refuses(&changed_manifest(deep.as_bytes()), "not a manifest", MIB);
    let twice = with_manifest(|m| {
        let input = m["inputs"][0].clone();
        m["inputs"].as_array_mut().unwrap().push(input);
    });
    refuses(&twice, "lists the input `current` twice", MIB);
    let payload = with_manifest(|m| m["inputs"][0]["payload"] = json!("CurentArray"));
    refuses(&payload, "did you mean `CurrentArray`?", MIB);
}

/// The small checkpoint with these bytes as its manifest.
fn changed_manifest(bytes: &[u8]) -> Vec<u8> {
    let mut parts = take_apart(&small().1);
    parts[0].1 = bytes.to_vec();
    put_together(&parts)
}

#[test]
fn lengths_in_headers_are_claims() {
    let _alone = alone();
    // An entry that says it is 8 GiB long, and a safetensors header that says so.
    for size in [1u64 << 33, u64::MAX >> 1] {
        let claim = header("manifest.json", size);
        refuses(&zip(&[&claim.as_bytes()[..], b"{"].concat()), "", MIB);
        let state = |bytes: Vec<u8>| changed(|parts| parts[2].1 = bytes);
        refuses(&state(size.to_le_bytes().to_vec()), "not a sound safetensors file", MIB);
        let tensor = format!(r#"{{"a": {{"dtype": "F32", "shape": [{size}], "data_offsets": [0, {size}]}}}}"#);
        let bytes = [&(tensor.len() as u64).to_le_bytes(), tensor.as_bytes()].concat();
        refuses(&state(bytes), "not a sound safetensors file", MIB);
    }
    let tensor = |text: &str, data: &[u8]| {
        let bytes = [&(text.len() as u64).to_le_bytes(), text.as_bytes(), data].concat();
        changed(|parts| parts[2].1 = bytes)
    };
    // Lengths that do not fit each other, overlap, leave gaps, or are nothing times everything.
    for text in [
        r#"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}"#,
        r#"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}"#,
        r#"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}"#,
        r#"{"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}, "b": {"dtype": "U8", "shape": [4], "data_offsets": [2, 6]}}"#,
        r#"{"a": {"dtype": "U8", "shape": [9223372036854775807, 4], "data_offsets": [0, 4]}}"#,
    ] {
        refuses(&tensor(text, &[0; 8]), "not a sound safetensors file", MIB);
    }
    let nothing = r#"{"a": {"dtype": "U8", "shape": [0, 4611686018427387904], "data_offsets": [0, 0]}}"#;
    refuses(&tensor(nothing, &[]), "state.safetensors", MIB);
    let dims = vec!["1"; 60_000].join(",");
    let long = format!(r#"{{"a": {{"dtype": "U8", "shape": [{dims}], "data_offsets": [0, 1]}}}}"#);
    refuses(&tensor(&long, &[0]), "60000 dimensions", 8 * MIB);
    let name = "\\u001b[31m".repeat(10_000);
    let named = format!(r#"{{"{name}": {{"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}}}"#);
    refuses(&tensor(&named, &[0]), "is no name of a state", MIB);
}

#[test]
fn a_gzip_bomb_is_refused_before_it_goes_off() {
    let _alone = alone();
    // A thousandth of its size, as all zeros and as a part of the archive.
    let zeros = bomb(256);
    assert!(zeros.len() < MIB);
    refuses(&zeros, "the part `manifest.json` is missing", MIB);

    let mut parts = take_apart(&small().1);
    sign(&mut parts);
    let mut manifest = manifest(&parts);
    let model = manifest["parts"][0].clone();
    // The model's part is sound, the state's is the bomb.
    manifest["parts"] = json!([model, {"name": "state.safetensors", "bytes": 256 * MIB, "sha256": ""}]);
    let manifest = serde_json::to_vec(&manifest).unwrap();
    refuses(&state_bomb(&manifest, &parts, 256), "expands to more than", 260 * MIB);
    // Zeros without end after the archive: time, but no memory.
    let tar = unzip(&small().1);
    let mut endless = GzEncoder::new(Vec::new(), Compression::default());
    endless.write_all(&tar).unwrap();
    (0..256).for_each(|_| endless.write_all(&vec![0; MIB]).unwrap());
    refuses(&endless.finish().unwrap(), "expands to more than", 2 * MIB);
}

/// A checkpoint whose state is so many MiB of zeros.
fn state_bomb(manifest: &[u8], parts: &Parts, mib: usize) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    let pad = |len: usize| vec![0; len.next_multiple_of(512) - len];
    for (name, content) in [("manifest.json", manifest), ("model.scfg", &parts[1].1)] {
        out.write_all(header(name, content.len() as u64).as_bytes()).unwrap();
        out.write_all(content).unwrap();
        out.write_all(&pad(content.len())).unwrap();
    }
    out.write_all(header("state.safetensors", (mib * MIB) as u64).as_bytes()).unwrap();
    let block = vec![0; MIB];
    (0..mib).for_each(|_| out.write_all(&block).unwrap());
    out.finish().unwrap()
}

#[test]
fn configurations_inside_are_read_within_limits() {
    let _alone = alone();
    let model = |text: Vec<u8>| changed(|parts| parts[1].1 = text);
    let field = |json: &str| format!(r#"{{"__type__": "leaky_soma_config", "__cfg__": {{"a": {json}}}}}"#).into_bytes();
    refuses(&model(field(&"[".repeat(1_000_000))), "recursion limit exceeded", 8 * MIB);
    refuses(&model(b"\xff\xfe".to_vec()), "model.scfg: not valid JSON", MIB);
    let claims = r#"{"__type__": "jax_array", "dtype": "float32", "shape": [1099511627776], "data": []}"#;
    refuses(&model(field(claims)), "must be a list of 1099511627776", MIB);
    // Two bytes of text are a value: a small file that would be gigabytes.
    let values = field(&format!("[{}0]", "0,".repeat(9 << 20)));
    refuses(&model(values), "too many values", 700 * MIB);
    let values = field(&format!("[{}0]", "0,".repeat((8 << 20) - 100)));
    let (read, peak) = peak_of(|| scfg::parse(&values).map(drop));
    assert!(read.is_ok() && peak < 1500 * MIB, "{peak} bytes");
    // An xz bomb: 256 MiB of text are the limit, whatever it expands to.
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(0)).unwrap();
    let block = vec![b' '; MIB];
    (0..300).for_each(|_| xz.write_all(&block).unwrap());
    let xz = xz.finish().unwrap();
    assert!(xz.len() < MIB);
    let (read, peak) = peak_of(|| scfg::parse(&xz));
    assert!(read.unwrap_err().to_string().contains("expands to more than 256 MiB"));
    assert!(peak < 900 * MIB, "{peak} bytes");
    refuses(&model(xz), "model.scfg: the compressed file expands to more than 256 MiB", 900 * MIB);
}

/// Checks that a checkpoint is read, but its model refused with `text`, within `limit` bytes of memory.
#[track_caller]
fn builds_not(bytes: &[u8], text: &str, limit: usize) {
    let checkpoint = Checkpoint::from_bytes(bytes).unwrap();
    let (built, peak) = peak_of(|| checkpoint.model().map(drop));
    let message = built.expect_err("the model is refused").to_string();
    assert!(message.contains(text), "`{text}` is not in\n{message}");
    assert!(peak < limit, "{peak} bytes of memory, {limit} are allowed: {message}");
}

#[test]
fn a_model_larger_than_its_state_is_refused() {
    let _alone = alone();
    let dims = |dims: Value| with_manifest(|m| m["inputs"][0]["dims"] = dims);
    builds_not(&dims(json!([3])), "potential: dimensions [2], where the model has [3]", 8 * MIB);
    builds_not(&dims(json!([1u64 << 62, 4])), "an input of dimensions", MIB);
    builds_not(&dims(json!([0])), "an input of dimensions", MIB);
    builds_not(&dims(json!([1 << 30])), "an input of dimensions", MIB);
    // Units of a population, and the product of units and inputs.
    let config = NeuronConfig::new([2], LIFNeuron::modules());
    let model = Model::component(config).input("in_spikes", [2]).build().unwrap();
    let parts = take_apart(&Checkpoint::of(&model).to_bytes().unwrap());
    let of = |units: &str, inputs: usize| {
        let mut parts = parts.clone();
        let mut manifest = manifest(&parts);
        manifest["inputs"][0]["dims"] = json!([inputs]);
        parts[0].1 = serde_json::to_vec(&manifest).unwrap();
        let text = String::from_utf8(parts[1].1.clone()).unwrap();
        let at = text.find("\"units\": [").unwrap();
        let end = at + text[at..].find(']').unwrap();
        parts[1].1 = format!("{}\"units\": [{units}{}", &text[..at], &text[end..]).into_bytes();
        sign(&mut parts);
        put_together(&parts)
    };
    assert!(Checkpoint::from_bytes(&of("2", 2)).unwrap().model().is_ok());
    builds_not(&of("3", 2), "dimensions", 64 * MIB);
    builds_not(&of("1000000000", 2), "are too many units", 16 * MIB);
    builds_not(&of("6000", 6000), "fewer under a limit of memory", 64 * MIB);
}

/// A brain of two pools that read each other, the first of so many units, as a file.
fn of_units(folder: &Path, units: &str) -> std::path::PathBuf {
    let text = include_str!("golden/scfg/brain_mutual_lif_f32.json.scfg");
    let indent = " ".repeat(24);
    let field = format!("\n{indent}\"units\": [\n{indent}    40\n");
    assert_eq!(text.matches(&field).count(), 1);
    let path = folder.join("brain.scfg");
    std::fs::write(&path, text.replace(&field, &format!("\n{indent}\"units\": [{units}\n"))).unwrap();
    path
}

#[test]
fn populations_that_a_few_digits_make_huge_are_refused() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let build = |units: &str| {
        Model::from_file(of_units(folder.path(), units)).unwrap().memory_limit(64 << 20).input("signal", [50]).build()
    };
    assert!(build("40").is_ok());
    for (units, place, text) in [
        ("1000000000", "pool_a.units", "[1000000000] are too many units"),
        ("4096, 4097", "pool_a.units", "[4096, 4097] are too many units"),
        ("3000000", "pool_a.units", "an inhibition mask of 3000000 units does not fit"),
    ] {
        let start = std::time::Instant::now();
        let (built, peak) = peak_of(|| build(units).map(drop));
        let message = built.expect_err("the model is refused").to_string();
        assert!(message.contains(place) && message.contains(text), "`{place}`, `{text}`: {message}");
        assert!(peak < 256 * MIB, "{peak} bytes of memory: {message}");
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
    // In code, and with a limit under which not even the mask can be drawn.
    let of = |units: usize| Model::component(NeuronConfig::new([units], LIFNeuron::modules())).input("in_spikes", [1]);
    let (built, peak) = peak_of(|| of(1 << 30).build().map(drop));
    assert!(built.unwrap_err().to_string().contains("too many units") && peak < MIB, "{peak} bytes");
    let (built, peak) = peak_of(|| of(1 << 20).memory_limit(16 << 20).build().map(drop));
    let message = built.unwrap_err().to_string();
    assert!(message.contains("units: an inhibition mask of 1048576 units") && peak < MIB, "{peak} bytes: {message}");
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_read() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    // Opening it would wait for somebody who writes.
    let pipe = folder.path().join("pipe.scfg");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [&*pipe, Path::new("/dev/zero"), folder.path()] {
        let (read, peak) = peak_of(|| {
            let errors = [scfg::read_path(path).map(drop), Checkpoint::read(path).map(drop)];
            errors
                .into_iter()
                .chain([Checkpoint::is_checkpoint(path).map(drop), Model::load(path).map(drop)])
                .collect::<Vec<_>>()
        });
        for error in read {
            let message = error.unwrap_err().to_string();
            assert!(message.contains(path.to_str().unwrap()) && message.contains("not a regular file"), "{message}");
        }
        assert!(peak < MIB, "{peak} bytes");
    }
}

#[test]
fn neurons_that_grow_without_bounds_are_refused() {
    let _alone = alone();
    let of = |name: &str, inner: &str| {
        ModuleSpecs::new(name, inner).input("in_spikes", PortMap::output(PortMap::CALL, "in_spikes"))
    };
    register_neuron("First", NeuronConfig::new([1], LIFNeuron::modules())).unwrap();
    let second = NeuronConfig::new([1], vec![of("a", "First").output("out_spikes", "out_spikes"), of("b", "First")]);
    register_neuron("Second", second).unwrap();
    let outer = NeuronConfig::new([1], vec![of("x", "Second").output("out_spikes", "out_spikes")]);
    let model = Model::component(outer).input("in_spikes", [2]).build().unwrap();
    let parts = take_apart(&Checkpoint::of(&model).to_bytes().unwrap());
    let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
    let expected = ["manifest.json", "model.scfg", "neurons/First.scfg", "neurons/Second.scfg", "state.safetensors"];
    assert_eq!(names, expected);

    // Every neuron twice the one before: 2^40 modules.
    let text = String::from_utf8(parts[3].1.clone()).unwrap();
    let mut grown = parts.clone();
    let state = grown.pop().unwrap();
    let mut before = "second".to_string();
    for level in 0..40 {
        let name = format!("level{level}");
        grown.push((format!("neurons/{name}.scfg"), text.replace("\"first\"", &format!("\"{before}\"")).into_bytes()));
        before = name;
    }
    grown.push(state);
    sign(&mut grown);
    refuses(&put_together(&grown), "neurons within neurons are", 4 * MIB);

    // One that is made of itself, one that is made of a later one, one in the place of a shipped one.
    let replaced = |at: usize, from: &str, to: &str| {
        let mut parts = parts.clone();
        let text = String::from_utf8(parts[at].1.clone()).unwrap();
        assert!(text.contains(from));
        parts[at].1 = text.replace(from, to).into_bytes();
        sign(&mut parts);
        put_together(&parts)
    };
    refuses(&replaced(3, "\"first\"", "\"second\""), "Second: uses the neuron `second`, which comes after it", MIB);
    let mut renamed = parts.clone();
    renamed[2].0 = "neurons/LIFNeuron.scfg".into();
    sign(&mut renamed);
    refuses(&put_together(&renamed), "is the name of a type that comes with the program", MIB);
    renamed[2].0 = "neurons/../x.scfg".into();
    sign(&mut renamed);
    refuses(&put_together(&renamed), "is not a name for a neuron", MIB);
    renamed[2].0 = "neurons/second.scfg".into();
    sign(&mut renamed);
    refuses(&put_together(&renamed), "have the same name", MIB);
}

#[test]
fn every_truncation_is_refused() {
    let _alone = alone();
    let (_, bytes) = small();
    for len in 0..bytes.len() {
        assert!(Checkpoint::from_bytes(&bytes[..len]).is_err(), "{len} of {} bytes", bytes.len());
    }
    // The archive cut short, in a sound stream: what is left loads only if nothing is missing.
    let (checkpoint, tar) = (small().0, unzip(&bytes));
    for len in (0..tar.len()).step_by(7) {
        if let Ok(read) = Checkpoint::from_bytes(&zip(&tar[..len])) {
            assert_eq!(read, checkpoint, "{len} of {} bytes", tar.len());
        }
    }
}

#[test]
fn every_flipped_bit_is_refused_or_changes_nothing() {
    let _alone = alone();
    let (checkpoint, mut bytes) = small();
    let mut tar = unzip(&bytes);
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = Checkpoint::from_bytes(&bytes) {
            assert_eq!(read, checkpoint, "bit {bit}");
            // The flip said nothing: a time, the name of a system, zeros copied from elsewhere.
            assert!(unzip(&bytes) == tar, "bit {bit}");
        }
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    // Behind the checksum of gzip, which every single flip breaks: names, lengths and digests are looked at, too.
    let manifest = 512..512 + take_apart(&bytes)[0].1.len();
    for bit in (0..tar.len() * 8).filter(|bit| !manifest.contains(&(bit / 8))) {
        tar[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = Checkpoint::from_bytes(&zip(&tar)) {
            assert_eq!(read, checkpoint, "bit {bit} of the archive");
        }
        tar[bit / 8] ^= 1 << (bit % 8);
    }
}
