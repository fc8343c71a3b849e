//! Machine code in files: a relocatable object with the functions of one program.
//!
//! In: a lowered program, where its buffers are in a block of memory, and what the block holds at first. Out: an object
//! file that defines `NAME_init`, `NAME_reset`, `NAME_step`, `NAME_flush`, `NAME_patched` and `NAME_hash`, and needs nothing.
//!
//! * `entry`: the functions that are seen from outside. `ports`: between their arguments and buffers. `ranges`: whether
//!   values are what the code relies on. `modes`: subnormal numbers.
//!
//! All data is read-only. Equal programs give equal bytes.

mod entry;
mod modes;
mod ports;
mod ranges;

use super::CompileError;
use super::access::buffer_symbol;
use super::check::check;
use super::clif;
use super::jit::{backend, failed, guarded, has_vectors};
use super::scalar::scalarize;
use super::sink::Optimizer;
use crate::aot::Layout;
use crate::intrinsics::Intrinsic;
use crate::loops::{BufferId, Lowered};
use crate::memory::Memory;
use crate::passes::ranges::Range;
use cranelift::codegen::ir::{ExternalName, Function, LibCall, UserExternalName};
use cranelift::codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift::codegen::{Context, FinalizedRelocTarget};
use cranelift_module::{DataDescription, DataId, FuncId, Linkage, Module, ModuleError, default_libcall_names};
use cranelift_object::{ObjectBuilder, ObjectModule};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The symbol of what the block holds at first.
const IMAGE: UserExternalName = UserExternalName { namespace: 1, index: u32::MAX };

/// What an object is made from.
pub(crate) struct Parts<'a> {
    /// Prefix of the symbols.
    pub(crate) name: &'a str,
    /// The program.
    pub(crate) lowered: &'a Lowered,
    /// Where its buffers are.
    pub(crate) layout: &'a Layout,
    /// Where constants are.
    pub(crate) memory: &'a Memory,
    /// What the block holds at first, without the zeros at the end.
    pub(crate) image: &'a [u8],
    /// Ranges of what is kept between steps, as far as the code relies on them.
    pub(crate) ranges: &'a [(BufferId, Range)],
    /// Whether subnormal numbers count as zero while a step runs, where the machine has such a mode.
    pub(crate) flush: bool,
    /// Says what the object is made for: part of its hash.
    pub(crate) target: &'a str,
    /// Names of ports and states: part of its hash, for texts about the object have them.
    pub(crate) names: Vec<&'a str>,
}

/// An object and its sizes.
pub(crate) struct Emitted {
    /// The file.
    pub(crate) bytes: Vec<u8>,
    /// Bytes of machine code.
    pub(crate) code: usize,
    /// Bytes of read-only data.
    pub(crate) data: usize,
    /// Bytes of stack that a step takes at most.
    pub(crate) stack: usize,
    /// SHA-256 of the program, its constants, the initial state, the names and the target, in hexadecimal digits.
    pub(crate) hash: String,
}

/// Compiles a program.
///
/// # Errors
/// [`CompileError`] if the lowered program is malformed, the target lacks an instruction, or the code generator fails.
pub(crate) fn compile(parts: &Parts<'_>, isa: OwnedTargetIsa) -> Result<Emitted, CompileError> {
    check(parts.lowered)?;
    guarded(|| {
        let optimizer = Optimizer::new(isa.clone())?;
        let builder =
            ObjectBuilder::new(optimizer.plain().clone(), parts.name, default_libcall_names()).map_err(backend)?;
        let module = ObjectModule::new(builder);
        let context = module.make_context();
        let mut hash = Sha256::new();
        hash.update(parts.target);
        parts.names.iter().for_each(|name| hash.update([name.as_bytes(), &[0]].concat()));
        hash.update(parts.image);
        let (data, code, frame) = (BTreeMap::new(), 0, 0);
        let scalar = !has_vectors(&*isa);
        let mut writer =
            Writer { parts, module, context, optimizer, hash, scalar, called: Vec::new(), data, code, frame };

        let homes = &parts.layout.homes;
        let functions = clif::functions(parts.lowered, &*isa, homes, false);
        for (n, function) in functions.parts.into_iter().enumerate() {
            let id = writer.define(&format!("{}.part_{n}", parts.name), Linkage::Local, function)?;
            writer.called.push(id);
        }
        let called = std::mem::take(&mut writer.frame);
        let mut steps = Vec::new();
        for (n, function) in functions.steps.into_iter().enumerate() {
            steps.push(writer.define(&format!("{}.step_{n}", parts.name), Linkage::Local, function)?);
        }
        let mut between_steps = |end: &str, function: Option<_>| {
            let define = |function| writer.define(&format!("{}.{end}", parts.name), Linkage::Local, function);
            function.map(define).transpose()
        };
        let flush = between_steps("flush_all", functions.flush)?;
        let settle = between_steps("settle_all", functions.settle)?;
        let deepest = called + std::mem::take(&mut writer.frame);
        let steps = entry::Steps { functions: steps, flush, settle, modes: writer.modes(&*isa)? };
        for (name, function) in entry::functions(parts, &mut writer.module, &steps) {
            writer.define(&format!("{}_{name}", parts.name), Linkage::Export, function)?;
        }
        writer.finish(deepest)
    })
}

/// An object under construction.
struct Writer<'p, 'a> {
    parts: &'p Parts<'a>,
    module: ObjectModule,
    context: Context,
    optimizer: Optimizer,
    hash: Sha256,
    /// Whether the machine has no vectors.
    scalar: bool,
    /// Parts of steps, by their numbers after those of intrinsics.
    called: Vec<FuncId>,
    /// Symbols that are used: the image and constants.
    data: BTreeMap<u32, (DataId, usize)>,
    code: usize,
    /// The largest stack frame since it was last looked at.
    frame: usize,
}

impl Writer<'_, '_> {
    fn define(&mut self, name: &str, linkage: Linkage, mut function: Function) -> Result<FuncId, CompileError> {
        self.hash.update(function.to_string());
        if self.scalar {
            scalarize(&mut function)?;
        }
        self.link_parts(&mut function, linkage);
        let used: Vec<_> = function.params.user_named_funcs().iter().map(|(at, name)| (at, name.clone())).collect();
        for (at, name) in used.into_iter().filter(|(_, name)| name.namespace == IMAGE.namespace) {
            let index = self.data(name.index)?.as_u32();
            function.params.reset_user_func_name(at, UserExternalName { index, ..name });
        }
        let id = self.module.declare_function(name, linkage, &function.signature).map_err(backend)?;
        self.context.func = function;
        self.optimizer.run(&mut self.context)?;
        let defined = self.module.define_function(id, &mut self.context);
        defined.map_err(|e| match e {
            ModuleError::Compilation(e) => failed(&e),
            e => backend(e),
        })?;
        let buffer = self.context.compiled_code().map(|code| &code.buffer);
        let buffer = buffer.ok_or_else(|| CompileError::Backend("no code".into()))?;
        if let Some(missing) = buffer.relocs().iter().find_map(|reloc| libcall(&reloc.target)) {
            return Err(CompileError::Missing { operation: missing });
        }
        self.code += buffer.data().len();
        // The return address and the caller's frame pointer are above the frame.
        let frame = buffer.frame_layout().map_or(0, |layout| layout.frame_to_fp_offset as usize) + 16;
        self.frame = self.frame.max(frame);
        self.module.clear_context(&mut self.context);
        Ok(id)
    }

    /// Has the calls of parts name those of the object. Functions seen from outside name them already.
    fn link_parts(&self, function: &mut Function, linkage: Linkage) {
        if linkage == Linkage::Export {
            return;
        }
        let first = Intrinsic::all().len();
        let used: Vec<_> = function.params.user_named_funcs().iter().map(|(at, name)| (at, name.clone())).collect();
        for (at, name) in used.into_iter().filter(|(_, name)| name.namespace == 0) {
            let index = self.called[name.index as usize - first].as_u32();
            function.params.reset_user_func_name(at, UserExternalName { index, ..name });
        }
    }

    /// Functions that have subnormal numbers count as zero, and no longer; `None` if they are not asked for or cannot be.
    fn modes(&mut self, isa: &dyn TargetIsa) -> Result<Option<(FuncId, FuncId)>, CompileError> {
        let Some(modes) = modes::modes(isa).filter(|_| self.parts.flush) else { return Ok(None) };
        let (flush, restore) = modes::signatures(isa);
        let mut define = |end: &str, signature, code: &[u8]| {
            self.hash.update(code);
            self.code += code.len();
            let name = format!("{}.{end}", self.parts.name);
            let id = self.module.declare_function(&name, Linkage::Local, &signature).map_err(backend)?;
            self.module.define_function_bytes(id, 16, code, &[]).map_err(backend)?;
            Ok(id)
        };
        Ok(Some((define("flush", flush, &modes.flush)?, define("restore", restore, &modes.restore)?)))
    }

    /// The data of a symbol, defined when it is first used.
    fn data(&mut self, index: u32) -> Result<DataId, CompileError> {
        if let Some(&(id, _)) = self.data.get(&index) {
            return Ok(id);
        }
        let (name, bytes) = if index == IMAGE.index {
            ("state".to_string(), self.parts.image)
        } else {
            debug_assert_eq!(buffer_symbol(BufferId(index)).namespace, IMAGE.namespace);
            (format!("constant_{index}"), self.parts.memory.bytes(BufferId(index)))
        };
        self.hash.update(bytes);
        let id = self.data_of(&format!("{}.{name}", self.parts.name), Linkage::Local, bytes, 64)?;
        self.data.insert(index, (id, bytes.len()));
        Ok(id)
    }

    fn data_of(&mut self, name: &str, linkage: Linkage, bytes: &[u8], align: u64) -> Result<DataId, CompileError> {
        let id = self.module.declare_data(name, linkage, false, false).map_err(backend)?;
        let mut description = DataDescription::new();
        description.define(bytes.into());
        description.set_align(align);
        self.module.define_data(id, &description).map_err(backend)?;
        Ok(id)
    }

    fn finish(mut self, deepest: usize) -> Result<Emitted, CompileError> {
        let hash: String = self.hash.finalize_reset().iter().map(|byte| format!("{byte:02x}")).collect();
        let text = [hash.as_bytes(), &[0]].concat();
        self.data_of(&format!("{}_hash", self.parts.name), Linkage::Export, &text, 1)?;
        let data = self.data.values().map(|(_, bytes)| bytes).sum::<usize>() + text.len();
        let bytes = self.module.finish().emit().map_err(backend)?;
        Ok(Emitted { bytes, code: self.code, data, stack: deepest + self.frame, hash })
    }
}

/// What a call to a library function stands for.
fn libcall(target: &FinalizedRelocTarget) -> Option<String> {
    let FinalizedRelocTarget::ExternalName(ExternalName::LibCall(libcall)) = target else { return None };
    Some(match libcall {
        LibCall::FmaF64 => "a multiplication and addition of float64 in one rounding".into(),
        other => format!("{other:?}"),
    })
}

#[cfg(test)]
mod tests;
