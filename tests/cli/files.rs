//! Models and files of inputs that commands are given, and files of results that they write.

use crate::support::golden_dir;
use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) const LIF: &str = "scfg/neuron_lif_f32.json.scfg";
pub(crate) const LIF_XZ: &str = "scfg/neuron_lif_f32.xz.scfg";
pub(crate) const SOMA: &str = "scfg/soma_leaky_hetero.json.scfg";
pub(crate) const LIF_INPUT: &str = "neuron/lif.f32.safetensors";

pub(crate) fn golden(path: &str) -> String {
    golden_dir().join(path).display().to_string()
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Writes a tensor file of `f32` tensors.
pub(crate) fn tensors(folder: &Path, entries: &[(&str, &[usize], &[f32])]) -> PathBuf {
    let bytes: Vec<Vec<u8>> = entries.iter().map(|e| e.2.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let views = entries
        .iter()
        .zip(&bytes)
        .map(|(&(name, dims, _), bytes)| (name, TensorView::new(Dtype::F32, dims.to_vec(), bytes).unwrap()));
    let path = folder.join("in.safetensors");
    std::fs::write(&path, serialize(views, None).unwrap()).unwrap();
    path
}

/// A soma's input: three neurons, `steps` steps of 500 pA.
pub(crate) fn currents(folder: &Path, steps: usize) -> PathBuf {
    tensors(folder, &[("current", &[steps, 3], &vec![500.0; steps * 3])])
}

pub(crate) struct Written {
    pub(crate) tensors: HashMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
    pub(crate) notes: HashMap<String, String>,
}

pub(crate) fn read(path: &Path) -> Written {
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let one =
        |(name, view): (String, TensorView<'_>)| (name, (view.dtype(), view.shape().to_vec(), view.data().to_vec()));
    Written {
        tensors: file.tensors().into_iter().map(one).collect(),
        notes: header.metadata().clone().unwrap_or_default(),
    }
}

impl Written {
    #[track_caller]
    pub(crate) fn f32(&self, name: &str) -> Vec<f64> {
        let (dtype, _, bytes) = &self.tensors[name];
        assert_eq!(*dtype, Dtype::F32, "{name}");
        bytes.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect()
    }

    #[track_caller]
    pub(crate) fn u8(&self, name: &str) -> Vec<f64> {
        let (dtype, _, bytes) = &self.tensors[name];
        assert_eq!(*dtype, Dtype::U8, "{name}");
        bytes.iter().map(|&b| f64::from(b)).collect()
    }
}
