//! Subnormal numbers as zero while a step runs: the processor's mode is set before and put back after.
//!
//! Cranelift has no instructions for it, so these functions are machine code. RISC-V has no such mode.

use cranelift::codegen::isa::{CallConv, TargetIsa};
use cranelift::prelude::*;
use target_lexicon::Architecture;

/// Machine code of two functions.
pub(super) struct Modes {
    /// Has subnormal numbers count as zero; gives the former mode.
    pub(super) flush: Vec<u8>,
    /// Puts a mode back.
    pub(super) restore: Vec<u8>,
}

/// The functions for a machine; `None` if it has no such mode.
pub(super) fn modes(isa: &dyn TargetIsa) -> Option<Modes> {
    match isa.triple().architecture {
        Architecture::X86_64 => {
            // The first argument is in ecx on Windows, in edi elsewhere.
            let store_argument = match isa.default_call_conv() {
                CallConv::WindowsFastcall => [0x89, 0x0c, 0x24],
                _ => [0x89, 0x3c, 0x24],
            };
            let (enter, leave) = ([0x48, 0x83, 0xec, 0x08], [0x48, 0x83, 0xc4, 0x08, 0xc3]);
            let load_mode = [0x0f, 0xae, 0x14, 0x24];
            // stmxcsr [rsp]; mov eax, [rsp]; mov ecx, eax; or ecx, 0x8040; mov [rsp], ecx
            let set = [
                0x0f, 0xae, 0x1c, 0x24, 0x8b, 0x04, 0x24, 0x89, 0xc1, 0x81, 0xc9, 0x40, 0x80, 0x00, 0x00, 0x89, 0x0c,
                0x24,
            ];
            Some(Modes {
                flush: [&enter[..], &set, &load_mode, &leave].concat(),
                restore: [&enter[..], &store_argument, &load_mode, &leave].concat(),
            })
        }
        Architecture::Aarch64(_) => {
            let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
            Some(Modes {
                // mrs x0, fpcr; orr x1, x0, #1 << 24; msr fpcr, x1; ret
                flush: words(&[0xd53b_4400, 0xb268_0001, 0xd51b_4401, 0xd65f_03c0]),
                // msr fpcr, x0; ret
                restore: words(&[0xd51b_4400, 0xd65f_03c0]),
            })
        }
        _ => None,
    }
}

/// Signatures of both.
pub(super) fn signatures(isa: &dyn TargetIsa) -> (Signature, Signature) {
    let (mut flush, mut restore) = (Signature::new(isa.default_call_conv()), Signature::new(isa.default_call_conv()));
    flush.returns.push(AbiParam::new(types::I64));
    restore.params.push(AbiParam::new(types::I64));
    (flush, restore)
}
