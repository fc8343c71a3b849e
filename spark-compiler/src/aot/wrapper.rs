//! The Rust module of an object: safe, needs `core` only, may be included anywhere.

use super::layout::{self, ALIGN, Port};
use super::{Object, Sizes};
use crate::ir::DType;
use std::fmt::Write;

/// The text of the module.
pub(super) fn wrapper(object: &Object) -> String {
    let Object { name, target, hash, layout, .. } = object;
    let Sizes { code, data, stack, block } = object.sizes;
    let version = env!("CARGO_PKG_VERSION");
    let (inputs, outputs) = (layout::structure_bytes(&layout.inputs), layout::structure_bytes(&layout.outputs));
    let mut structures = String::new();
    for (title, what, ports) in [("Inputs", "is given", &layout.inputs), ("Outputs", "gives", &layout.outputs)] {
        structure(&mut structures, title, what, ports);
    }
    format!(
        "\
// {name}: a model of spiking neurons, compiled by Spark {version} for {target}.
// Generated: do not edit. Include it in a module of its own and link {name}.o:
//
//     mod {name} {{
//         include!(\"{name}.rs\");
//     }}
//
//     let mut memory = {name}::Memory::new();
//     let mut model = {name}::Model::new(&mut memory);
//     let (mut inputs, mut outputs) = ({name}::Inputs::ZERO, {name}::Outputs::ZERO);
//     model.step(&inputs, &mut outputs);
//
// Bytes: {code} of code, {data} of read-only data, {stack} of stack, {block} of memory for a model.

#[allow(unused_imports)]
pub use self::object::*;

#[allow(dead_code, missing_docs, non_upper_case_globals, unsafe_code, unreachable_pub, clippy::all)]
mod object {{
    use core::marker::PhantomData;
    use core::mem::MaybeUninit;
    use core::ptr::NonNull;

    /// Version of Spark that compiled the object.
    pub const SPARK_VERSION: &str = \"{version}\";
    /// What the object was compiled for.
    pub const TARGET: &str = \"{target}\";
    /// SHA-256 of the program, its weights, its initial state and all names.
    pub const HASH: &str = \"{hash}\";
    /// Bytes of memory for a model.
    pub const STATE_SIZE: usize = {block};
    /// Alignment of that memory.
    pub const STATE_ALIGN: usize = {ALIGN};

{structures}\
    const _: () = assert!(size_of::<Inputs>() == {inputs} && size_of::<Outputs>() == {outputs});
    const _: () = assert!(size_of::<usize>() == 8, \"the object was compiled for another machine\");

    unsafe extern \"C\" {{
        fn {name}_init(memory: *mut u8, size: usize) -> *mut u8;
        fn {name}_reset(model: *mut u8);
        fn {name}_step(model: *mut u8, inputs: *const Inputs, outputs: *mut Outputs);
        fn {name}_flush(model: *mut u8);
        fn {name}_patched(model: *mut u8);
        static {name}_hash: [u8; 65];
    }}

    /// Memory for a model.
    #[repr(C, align({ALIGN}))]
    pub struct Memory(MaybeUninit<[u8; STATE_SIZE]>);

    impl Memory {{
        /// Memory that is not yet used.
        pub const fn new() -> Memory {{
            Memory(MaybeUninit::uninit())
        }}
    }}

    impl Default for Memory {{
        fn default() -> Memory {{
            Memory::new()
        }}
    }}

    /// Why memory cannot hold a model.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub enum MemoryError {{
        /// It is not aligned to `STATE_ALIGN`.
        Misaligned,
        /// It has less than `STATE_SIZE` bytes.
        Short,
    }}

    impl core::fmt::Display for MemoryError {{
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {{
            match self {{
                MemoryError::Misaligned => write!(f, \"memory for a model has to be aligned to {{STATE_ALIGN}} bytes\"),
                MemoryError::Short => write!(f, \"a model takes {{STATE_SIZE}} bytes of memory\"),
            }}
        }}
    }}

    impl core::error::Error for MemoryError {{}}

    /// A running model.
    pub struct Model<'a> {{
        block: NonNull<u8>,
        memory: PhantomData<&'a mut [u8]>,
    }}

    // SAFETY: a model owns its block, as a mutable slice does.
    unsafe impl Send for Model<'_> {{}}
    // SAFETY: as above.
    unsafe impl Sync for Model<'_> {{}}

    impl<'a> Model<'a> {{
        /// A model in its initial state.
        pub fn new(memory: &'a mut Memory) -> Model<'a> {{
            // SAFETY: any part of it may be written, and nothing is read before.
            match unsafe {{ Self::at(memory.0.as_mut_ptr().cast(), STATE_SIZE) }} {{
                Ok(model) => model,
                Err(_) => unreachable!(),
            }}
        }}

        /// A model in its initial state, at the beginning of `memory`.
        ///
        /// # Errors
        /// If that is not aligned to `STATE_ALIGN`, or has less than `STATE_SIZE` bytes.
        pub fn in_slice(memory: &'a mut [u8]) -> Result<Model<'a>, MemoryError> {{
            // SAFETY: the slice is borrowed for as long as the model lives.
            unsafe {{ Self::at(memory.as_mut_ptr(), memory.len()) }}
        }}

        /// # Safety
        /// There are `size` bytes that the model may use for as long as it lives.
        unsafe fn at(memory: *mut u8, size: usize) -> Result<Model<'a>, MemoryError> {{
            if memory as usize % STATE_ALIGN != 0 {{
                return Err(MemoryError::Misaligned);
            }}
            // SAFETY: what the caller promises.
            let block = NonNull::new(unsafe {{ {name}_init(memory, size) }}).ok_or(MemoryError::Short)?;
            Ok(Model {{ block, memory: PhantomData }})
        }}

        /// `HASH` of the object that was linked: another one, if that is not the object of this file.
        pub fn linked_hash() -> &'static str {{
            // SAFETY: 64 digits and a zero, which nobody changes.
            let digits = unsafe {{ &{name}_hash }};
            core::str::from_utf8(&digits[..64]).unwrap_or(\"\")
        }}

        /// Runs one step.
        pub fn step(&mut self, inputs: &Inputs, outputs: &mut Outputs) {{
            // SAFETY: the block was initialised and is borrowed; any inputs are safe.
            unsafe {{ {name}_step(self.block.as_ptr(), inputs, outputs) }}
        }}

        /// Back to the initial state.
        pub fn reset(&mut self) {{
            // SAFETY: as in `step`.
            unsafe {{ {name}_reset(self.block.as_ptr()) }}
        }}

        /// All that the model remembers: arrays are where the object's JSON file says.
        pub fn bytes(&mut self) -> &[u8] {{
            // SAFETY: as in `step`.
            unsafe {{ {name}_flush(self.block.as_ptr()) }}
            // SAFETY: the block was initialised.
            unsafe {{ core::slice::from_raw_parts(self.block.as_ptr(), STATE_SIZE) }}
        }}

        /// Changes what the model remembers.
        ///
        /// # Safety
        /// Positions of histories must stay below their number of rows, and padding of truth values must stay 0.
        pub unsafe fn patch(&mut self, change: impl FnOnce(&mut [u8])) {{
            // SAFETY: as in `step`.
            unsafe {{ {name}_flush(self.block.as_ptr()) }}
            // SAFETY: the block was initialised and is borrowed.
            change(unsafe {{ core::slice::from_raw_parts_mut(self.block.as_ptr(), STATE_SIZE) }});
            // SAFETY: as in `step`.
            unsafe {{ {name}_patched(self.block.as_ptr()) }}
        }}
    }}
}}
"
    )
}

/// A structure of ports.
fn structure(out: &mut String, title: &str, what: &str, ports: &[Port]) {
    let mut line = |text: String| writeln!(out, "    {text}").expect("writing to a string");
    line(format!("/// What a step {what}. Arrays are row-major."));
    line("#[repr(C)]".into());
    line("#[derive(Clone, Copy, PartialEq, Debug)]".into());
    line(format!("pub struct {title} {{"));
    for port in ports {
        let (ty, _) = rust_type(port.dtype);
        let note = match port.dtype {
            DType::F16 | DType::BF16 => "the bits of ",
            _ => "",
        };
        let dims = port.shape.dims();
        let (name, dtype) = (port.name.escape_debug(), port.dtype.long_name());
        line(format!("    /// `{name}`: {note}{dtype}, dimensions {dims:?}."));
        line(format!("    pub {}: [{ty}; {}],", port.field, port.len()));
    }
    if ports.is_empty() {
        line("    /// Nothing.".into());
        line("    pub none: u8,".into());
    }
    line("}".into());
    line(String::new());
    line(format!("impl {title} {{"));
    line("    /// All numbers 0, all truth values false.".into());
    line(format!("    pub const ZERO: {title} = {title} {{"));
    for port in ports {
        line(format!("        {}: [{}; {}],", port.field, rust_type(port.dtype).1, port.len()));
    }
    if ports.is_empty() {
        line("        none: 0,".into());
    }
    line("    };".into());
    line("}".into());
    line(String::new());
}

/// The type of an element and its zero.
fn rust_type(dtype: DType) -> (&'static str, &'static str) {
    match dtype {
        DType::F32 => ("f32", "0.0"),
        DType::F64 => ("f64", "0.0"),
        DType::F16 | DType::BF16 | DType::U16 => ("u16", "0"),
        DType::U8 => ("u8", "0"),
        DType::I32 => ("i32", "0"),
        DType::Bool => ("bool", "false"),
    }
}
