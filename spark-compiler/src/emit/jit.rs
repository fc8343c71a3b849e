//! Machine code in memory: compiling, owning, running and freeing it.
#![allow(unsafe_code)]

use super::cache::{self, Compiled, Key};
use super::{
    CompileError, access::Home, blocks, check::check, clif, scalar::scalarize, sink::Optimizer, subnormals::Flush,
};
use crate::intrinsics::Intrinsic;
use crate::loops::Lowered;
use crate::memory::{Contract, Memory, MemoryError, offsets};
use crate::pages::Region;
use crate::passes::CompileOptions;
use cranelift::codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift::codegen::{CodegenError, Context, ir::Function, settings};
use cranelift::prelude::Configurable;
use cranelift_jit::{ArenaMemoryProvider, JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, ModuleReloc, default_libcall_names};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use target_lexicon::Architecture;

/// Address space to reserve per CLIF instruction, far above what one takes.
const BYTES_PER_INSTRUCTION: usize = 256;

type Step = unsafe extern "C" fn(memory: *mut u8);

/// Compiled code of one program. Clones share it; the last one frees it.
#[derive(Clone, Debug)]
pub struct Code(Arc<Machine>);

/// Figures of a compilation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CodeStats {
    /// Instructions emitted, before Cranelift's optimisations.
    pub clif_instructions: usize,
    /// Size of the machine code with its constants.
    pub code_bytes: usize,
    /// Functions the step is split into.
    pub functions: usize,
    /// Whether the machine code was on disk ([`cache`]).
    pub cached: bool,
    /// Time from nests to executable code.
    pub compile_time: Duration,
}

/// The memory was made for another program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the memory belongs to another program than the code")]
pub struct ForeignMemory;

struct Machine {
    steps: Vec<Step>,
    /// Replays what is put off.
    flush: Option<Step>,
    /// Brings states that decay up to date.
    settle: Option<Step>,
    /// Kept alive as long as `steps` may run. In a mutex because the module is not `Sync`; nobody locks it but `Drop`.
    module: Mutex<Option<JITModule>>,
    contract: Contract,
    stats: CodeStats,
    flush_subnormals: bool,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("stats", &self.stats).finish_non_exhaustive()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let module = self.module.get_mut().map_or_else(|poisoned| poisoned.into_inner().take(), Option::take);
        if let Some(module) = module {
            // SAFETY: function pointers never leave this struct, and no call is running since we hold `&mut self`.
            unsafe { module.free_memory() };
        }
    }
}

/// Compiles one step of `lowered` for this machine.
///
/// # Errors
/// [`CompileError`] if the lowered program is malformed or the code generator fails.
pub fn compile(lowered: &Lowered, options: &CompileOptions) -> Result<Code, CompileError> {
    check(lowered)?;
    guarded(|| compile_for(lowered, options, host()?, None))
}

/// As [`compile`], for a machine whose code this one runs. `vectors` says whether it has vectors, if `isa` does not.
///
/// # Errors
/// If the code generator fails.
pub(super) fn compile_for(
    lowered: &Lowered,
    options: &CompileOptions,
    isa: OwnedTargetIsa,
    vectors: Option<bool>,
) -> Result<Code, CompileError> {
    let start = Instant::now();
    let call_conv = isa.default_call_conv();
    let homes = homes(lowered)?;
    let functions = clif::functions(lowered, &*isa, &homes, options.intrinsics);
    let (parts, flushes, settles) = (functions.parts.len(), functions.flush.is_some(), functions.settle.is_some());
    let mut functions: Vec<Function> = functions.into_iter().collect();
    if !vectors.unwrap_or_else(|| has_vectors(&*isa)) {
        functions.iter_mut().try_for_each(scalarize)?;
    }
    let mut stats = CodeStats { functions: functions.len(), ..CodeStats::default() };
    stats.clif_instructions = functions.iter().map(|f| f.dfg.num_insts()).sum();

    let reserve = (1 << 16) * functions.len() + BYTES_PER_INSTRUCTION * stats.clif_instructions;
    let arena = ArenaMemoryProvider::new_with_size(reserve).map_err(backend)?;
    let optimizer = Optimizer::new(isa)?;
    let mut builder = JITBuilder::with_isa(optimizer.plain().clone(), default_libcall_names());
    builder.memory_provider(Box::new(arena));
    let intrinsics = Intrinsic::all();
    let names: Vec<String> = intrinsics.iter().map(|intrinsic| format!("{intrinsic:?}")).collect();
    for (intrinsic, name) in intrinsics.iter().zip(&names) {
        if let Some(address) = intrinsic.address() {
            builder.symbol(name, address);
        }
    }
    let mut module = JITModule::new(builder);
    // Imports go first: their numbers are their places.
    for (&intrinsic, name) in intrinsics.iter().zip(&names) {
        let signature = blocks::signature(intrinsic, call_conv);
        module.declare_function(name, Linkage::Import, &signature).map_err(backend)?;
    }
    let imports = module.declarations().get_functions();
    let imports = imports.map(|(id, declared)| (id, declared.name.as_deref().unwrap_or_default()));
    let key = Key::new(&functions, module.isa(), imports);
    let known = cache::load(&key).filter(|known| known.len() == functions.len());
    stats.cached = known.is_some();
    let compiled = match known {
        Some(known) => known,
        None => {
            let compiled = generate(&functions, &optimizer)?;
            cache::store(&key, &compiled);
            compiled
        }
    };
    let mut ids = Vec::new();
    for (n, function) in functions.iter().enumerate() {
        let id = module.declare_function(&format!("part_{n}"), Linkage::Local, &function.signature);
        ids.push(id.map_err(backend)?);
    }
    for (&id, Compiled { align, code, relocations }) in ids.iter().zip(&compiled) {
        module.define_function_bytes(id, *align, code, relocations).map_err(backend)?;
        stats.code_bytes += code.len();
    }
    module.finalize_definitions().map_err(backend)?;
    let mut steps: Vec<Step> = ids
        .into_iter()
        .skip(parts)
        .map(|id| {
            let address = module.get_finalized_function(id);
            // SAFETY: the functions after the parts were declared with `clif::signature`, which is `Step`'s.
            unsafe { std::mem::transmute::<*const u8, Step>(address) }
        })
        .collect();
    let settle = if settles { steps.pop() } else { None };
    let flush = if flushes { steps.pop() } else { None };
    stats.compile_time = start.elapsed();
    let machine = Machine {
        steps,
        flush,
        settle,
        module: Mutex::new(Some(module)),
        contract: Contract::of(lowered),
        stats,
        flush_subnormals: options.flush_subnormals,
    };
    Ok(Code(Arc::new(machine)))
}

/// Where [`Memory`] has buffers.
fn homes(lowered: &Lowered) -> Result<Vec<Home>, CompileError> {
    let all = offsets(lowered).ok_or_else(|| CompileError::Backend(MemoryError::TooLarge.to_string()))?;
    Ok(all.homes)
}

/// The machine code of functions.
fn generate(functions: &[Function], optimizer: &Optimizer) -> Result<Vec<Compiled>, CompileError> {
    let mut context = Context::new();
    let one = |function: &Function| {
        context.clear();
        context.func = function.clone();
        optimizer.run(&mut context)?;
        let code = context.compile(&**optimizer.plain(), &mut Default::default());
        let code = code.map_err(|e| failed(&e.inner))?;
        let buffer = &code.buffer;
        let (align, relocations) = (u64::from(buffer.alignment), buffer.relocs());
        // Only references into the function itself would need to know which it is.
        let own = FuncId::from_u32(0);
        let relocations = relocations.iter().map(|reloc| ModuleReloc::from_mach_reloc(reloc, function, own)).collect();
        Ok(Compiled { align, code: buffer.data().to_vec(), relocations })
    };
    functions.iter().map(one).collect()
}

/// The CLIF text of all functions, before Cranelift's optimisations.
///
/// # Errors
/// As [`compile`].
pub fn clif_text(lowered: &Lowered, options: &CompileOptions) -> Result<String, CompileError> {
    check(lowered)?;
    guarded(|| {
        let functions = clif::functions(lowered, &*host()?, &homes(lowered)?, options.intrinsics).into_iter();
        Ok(functions.map(|function| function.to_string()).collect::<Vec<_>>().join("\n"))
    })
}

/// The machine code of all functions as assembly, for people.
///
/// # Errors
/// As [`compile`].
#[cfg(test)]
pub(crate) fn assembly(lowered: &Lowered, options: &CompileOptions) -> Result<String, CompileError> {
    check(lowered)?;
    guarded(|| {
        let isa = host()?;
        let optimizer = Optimizer::new(isa.clone())?;
        let mut text = String::new();
        for function in clif::functions(lowered, &*isa, &homes(lowered)?, options.intrinsics).into_iter() {
            let mut context = cranelift::codegen::Context::for_function(function);
            context.set_disasm(true);
            optimizer.run(&mut context)?;
            let code = context.compile(&**optimizer.plain(), &mut Default::default()).map_err(|e| backend(e.inner))?;
            text += code.vcode.as_deref().unwrap_or_default();
        }
        Ok(text)
    })
}

/// A fault of the code generator; of several, the first.
pub(super) fn failed(error: &CodegenError) -> CompileError {
    CompileError::Backend(match error {
        CodegenError::Verifier(errors) => errors.0.first().map_or_else(String::new, ToString::to_string),
        other => other.to_string(),
    })
}

/// True if the machine has vector registers.
pub(super) fn has_vectors(isa: &dyn TargetIsa) -> bool {
    match isa.triple().architecture {
        Architecture::Riscv64(_) => isa.isa_flags().iter().any(|f| f.name == "has_v" && f.as_bool() == Some(true)),
        _ => true,
    }
}

pub(super) fn backend(error: impl std::fmt::Display) -> CompileError {
    CompileError::Backend(error.to_string())
}

/// Cranelift reports some faults by panicking; none of them may take the host program down.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, CompileError>) -> Result<T, CompileError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(CompileError::Backend(text.unwrap_or("the code generator panicked").to_owned()))
    })
}

/// How large stack frames touch each page: with code of their own instead of a call of a function that nobody has.
const PROBE: (&str, &str) = ("probestack_strategy", "inline");

/// The machine this runs on, with every vector extension it has.
fn host() -> Result<OwnedTargetIsa, CompileError> {
    let mut flags = settings::builder();
    let verify = if cfg!(debug_assertions) { "true" } else { "false" };
    for (name, value) in [("opt_level", "speed"), ("is_pic", "false"), ("enable_verifier", verify), PROBE] {
        flags.set(name, value).map_err(backend)?;
    }
    let isa = cranelift::native::builder().map_err(backend)?;
    isa.finish(settings::Flags::new(flags)).map_err(backend)
}

impl Code {
    /// Runs one step.
    ///
    /// # Errors
    /// [`ForeignMemory`] if `memory` was made for another program.
    pub fn step(&self, memory: &mut Memory) -> Result<(), ForeignMemory> {
        if !memory.fits(&self.0.contract) {
            return Err(ForeignMemory);
        }
        let start = memory.start();
        let _mode = self.0.flush_subnormals.then(Flush::new);
        for step in &self.0.steps {
            // SAFETY: the memory holds every buffer of the program the code was compiled from (equal contracts), where the code
            // has it and at its full size, and `&mut` makes this the only access. `check` proved that the code stays inside.
            unsafe { step(start) };
        }
        Ok(())
    }

    /// Replays what is put off, so that states are what they would be without.
    ///
    /// # Errors
    /// As [`Code::step`].
    pub(crate) fn flush(&self, memory: &mut Memory) -> Result<(), ForeignMemory> {
        self.between_steps(memory, self.0.flush)
    }

    /// Has states that are kept as of an earlier step be as of now.
    ///
    /// # Errors
    /// As [`Code::step`].
    pub(crate) fn settle(&self, memory: &mut Memory) -> Result<(), ForeignMemory> {
        self.between_steps(memory, self.0.settle)
    }

    fn between_steps(&self, memory: &mut Memory, work: Option<Step>) -> Result<(), ForeignMemory> {
        if !memory.fits(&self.0.contract) {
            return Err(ForeignMemory);
        }
        if let Some(work) = work {
            let _mode = self.0.flush_subnormals.then(Flush::new);
            // SAFETY: as in `step`.
            unsafe { work(memory.start()) };
        }
        Ok(())
    }

    /// What the memory would be after [`Code::flush`].
    ///
    /// # Errors
    /// As [`Code::step`].
    ///
    /// # Panics
    /// If there is no memory for a copy.
    pub(crate) fn flushed(&self, memory: &Memory) -> Result<Region, ForeignMemory> {
        if !memory.fits(&self.0.contract) {
            return Err(ForeignMemory);
        }
        let copy = memory.copy().expect("memory for a copy of a model");
        if let Some(flush) = self.0.flush {
            let _mode = self.0.flush_subnormals.then(Flush::new);
            // SAFETY: as in `step`, on a copy that nobody else has.
            unsafe { flush(copy.start().as_ptr()) };
        }
        Ok(copy)
    }

    /// Whether subnormal numbers count as zero while a step runs.
    pub(crate) fn flushes_subnormals(&self) -> bool {
        self.0.flush_subnormals
    }

    /// Figures of the compilation.
    pub fn stats(&self) -> CodeStats {
        self.0.stats
    }
}
