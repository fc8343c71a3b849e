//! Configuration files (`.scfg`): JSON, plain or compressed with xz, as the Python Spark writes them.
//!
//! Bytes go in, a [`ConfigTree`] comes out ([`parse`], [`read_path`]), or the other way ([`write`](fn@write)). Reading has two
//! steps: `read` undoes the compression and parses JSON within limits (a hostile file costs bounded time and memory), and
//! `decode` gives the plain JSON its meaning. A tree written and read again is equal, and so is a file of Spark's.
//!
//! | JSON | value |
//! |---|---|
//! | `{"__type__": T, "__cfg__": {..}}` | a configuration of type `T` |
//! | `{"__type__": "dtype", "name": N}` | a storage type |
//! | `{"__type__": "jax_array", "dtype": D, "shape": [..], "data": [..]}`, also `numpy_array` | an array |
//! | `{"__type__": "module_specs", "__data__": {..}}`, also `port_map`, `port_specs` | an object |
//! | `{"__module_type__": N, "__subregistry__": R}`, `{"__payload_type__": N}` | a class |
//! | `{"__version__": "1.0", "__data__": X}` | `X` |
//! | other objects, lists, numbers, strings, `true`, `false`, `null` | themselves |

mod decode;
mod file;
mod read;
mod write;

pub use file::{Format, write_path};
pub use write::write;

use crate::config::ConfigTree;
use crate::error::{Error, Result};
use crate::regular;
use std::io::Read;
use std::path::Path;

/// The largest file that is read, in bytes.
pub const FILE_LIMIT: u64 = 64 << 20;

/// Reads a configuration file.
///
/// # Errors
/// If the file is not a regular one, cannot be read or is larger than [`FILE_LIMIT`], and as [`parse`]; the error names the file.
pub fn read_path(path: &Path) -> Result<ConfigTree> {
    let parsed = read_bytes(path).and_then(|bytes| parse(&bytes));
    parsed.map_err(|error| error.in_file(path))
}

/// Reads a configuration from the bytes of a file.
///
/// # Errors
/// If the bytes are truncated, damaged, too large, nested too deep, not JSON (with line and column), or not a configuration
/// (with the path inside it).
pub fn parse(bytes: &[u8]) -> Result<ConfigTree> {
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(too_large());
    }
    let text = read::decompress(bytes)?;
    decode::config(read::json(&text)?)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let cannot = |e: std::io::Error| Error::new(format!("cannot read the file: {e}"));
    let (file, _) = regular::open(path)?;
    let mut bytes = Vec::new();
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

fn too_large() -> Error {
    Error::new(format!("the file is larger than {} MiB", FILE_LIMIT >> 20))
}
