//! The manifest: what a checkpoint says of itself.

use super::archive::Part;
use super::{MODEL, STATE, digest, neuron_of};
use crate::config::ConfigTree;
use crate::error::{Error, Result, printable, unknown_name_help};
use crate::model::{GraphDef, InputShape};
use crate::registry::Registry;
use crate::scfg::FILE_LIMIT;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use spark_compiler::ir::DType;
use spark_compiler::passes::CompileOptions;

/// The format that is written, and the only one that is read.
const FORMAT: u32 = 1;
/// The most neurons of the user's.
const NEURONS: usize = 1024;

/// What `manifest.json` holds.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    format: u32,
    /// The version of Spark that wrote it.
    pub(super) spark: String,
    /// Number of steps done.
    pub(super) steps: u64,
    numerics: Numerics,
    inputs: Vec<Input>,
    record: Vec<String>,
    /// The other parts, in order.
    pub(super) parts: Vec<PartNote>,
    /// What the model draws and never changes.
    pub(super) constants: Vec<ConstantNote>,
}

/// What decides how numbers round, apart from the configuration.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numerics {
    contract: bool,
    dtype: Option<String>,
    /// The compiler's passes, which decide in which form states are kept.
    passes: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    name: String,
    dims: Vec<usize>,
    mask: Option<Vec<usize>>,
    #[serde(rename = "async")]
    async_spikes: bool,
    payload: Option<String>,
}

/// Name, length and digest of a part.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartNote {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// Name and digest of a constant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConstantNote {
    pub(super) name: String,
    pub(super) sha256: String,
}

/// What every manifest has, whatever its format.
#[derive(Deserialize)]
struct Versions {
    format: u32,
    spark: String,
}

impl Manifest {
    pub(super) fn new(
        version: &str,
        graphdef: &GraphDef,
        steps: u64,
        constants: &[ConstantNote],
        parts: &[Part],
    ) -> Manifest {
        let input = |(name, shape): (&String, &InputShape)| Input {
            name: name.clone(),
            dims: shape.dims.clone(),
            mask: shape.mask.clone(),
            async_spikes: shape.async_spikes,
            payload: shape.kind.map(|kind| kind.name.to_string()),
        };
        let part = |part: &Part| PartNote {
            name: part.name.clone(),
            bytes: part.bytes.len() as u64,
            sha256: digest(&part.bytes),
        };
        Manifest {
            format: FORMAT,
            spark: version.into(),
            steps,
            numerics: Numerics {
                contract: graphdef.contract,
                dtype: graphdef.dtype.map(|dtype| dtype.long_name().to_string()),
                passes: graphdef.options.on().into_iter().map(String::from).collect(),
            },
            inputs: graphdef.inputs.iter().map(input).collect(),
            record: graphdef.record.clone(),
            parts: parts.iter().map(part).collect(),
            constants: constants.to_vec(),
        }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("texts and numbers are JSON")
    }

    /// Reads a manifest and checks that it lists the parts of a checkpoint, in order, and none too large.
    pub(super) fn parse(bytes: &[u8]) -> Result<Manifest> {
        let damaged = |e: serde_json::Error| Error::new(format!("not a manifest: {}", printable(&e.to_string())));
        let Versions { format, spark } = serde_json::from_slice(bytes).map_err(damaged)?;
        if format != FORMAT {
            let message = format!("format {format}, written by Spark {}", printable(&spark));
            return Err(Error::new(message).help(format!("this version reads format {FORMAT}; use that one")));
        }
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(damaged)?;
        let names: Vec<&str> = manifest.parts.iter().map(|part| part.name.as_str()).collect();
        let right = match &names[..] {
            [MODEL, neurons @ .., STATE] => neurons.len() <= NEURONS && neurons.iter().all(|n| neuron_of(n).is_some()),
            _ => false,
        };
        if !right {
            let help =
                format!("a checkpoint has `{MODEL}`, at most {NEURONS} times `neurons/NAME.scfg`, and `{STATE}`");
            return Err(Error::new(format!("lists the parts {}", printable(&names.join(", ")))).help(help));
        }
        if let Some(part) = manifest.parts.iter().find(|part| part.name != STATE && part.bytes > FILE_LIMIT) {
            let message = format!("`{}` of {} bytes is larger than {} MiB", part.name, part.bytes, FILE_LIMIT >> 20);
            return Err(Error::new(message));
        }
        Ok(manifest)
    }

    /// What the model is made from, with these configurations.
    pub(super) fn graphdef(&self, config: ConfigTree, neurons: Vec<(String, ConfigTree)>) -> Result<GraphDef> {
        let mut inputs = IndexMap::new();
        for Input { name, dims, mask, async_spikes, payload } in &self.inputs {
            let payloads = &Registry::global()?.payloads;
            let kind = match payload {
                None => None,
                Some(payload) => Some(payloads.find(payload).ok_or_else(|| {
                    let help = unknown_name_help(payload, payloads.iter().map(|kind| kind.name).collect::<Vec<_>>());
                    Error::new(format!("there is no payload called `{payload}`")).at(name).help(help)
                })?),
            };
            let shape = InputShape { dims: dims.clone(), mask: mask.clone(), async_spikes: *async_spikes, kind };
            if inputs.insert(name.clone(), shape).is_some() {
                return Err(Error::new(format!("the manifest lists the input `{name}` twice")));
            }
        }
        let dtype = match &self.numerics.dtype {
            None => None,
            Some(name) => Some(DType::parse(name).ok_or_else(|| Error::new(format!("there is no type `{name}`")))?),
        };
        let (record, contract) = (self.record.clone(), self.numerics.contract);
        let options = self.numerics.passes.iter().try_fold(CompileOptions::none(), |options, name| {
            let unknown = || {
                let help = unknown_name_help(name, CompileOptions::names());
                Error::new(format!("there is no pass called `{}`", printable(name))).help(help)
            };
            options.with(name, true).ok_or_else(unknown)
        })?;
        Ok(GraphDef { config, neurons, inputs, record, dtype, contract, options })
    }
}
