//! The functions of an object that are seen from outside.
//!
//! ```text
//! void *NAME_init(void *memory, size_t size)   the block, in its initial state; NULL if it is too small or not aligned
//! void NAME_reset(void *block)                 back to the initial state
//! void NAME_step(void *block, const void *inputs, void *outputs)
//! void NAME_flush(void *block)                 does what was put off
//! void NAME_patched(void *block)               values of the block were written from outside
//! ```

use super::super::access::Memories;
use super::super::clif::procedure;
use super::super::lanes::{Abilities, Clif};
use super::{IMAGE, Parts, ports, ranges};
use crate::aot::ALIGN;
use crate::passes::ranges::largest_input;
use cranelift::codegen::ir::{Function, UserFuncName};
use cranelift::codegen::isa::TargetIsa;
use cranelift::prelude::*;
use cranelift_module::{FuncId, Module};
use cranelift_object::ObjectModule;
use types::{I8, I32, I64};

/// What a function does with its arguments, and what it returns.
type Body<'b> = &'b mut dyn FnMut(&mut Memories<'_, '_>, &mut ObjectModule, &[Value]) -> Vec<Value>;

/// What a step calls.
pub(super) struct Steps {
    /// Functions of the program, in order.
    pub(super) functions: Vec<FuncId>,
    /// Does what was put off; `None` if nothing ever is.
    pub(super) flush: Option<FuncId>,
    /// Brings states that decay up to date.
    pub(super) settle: Option<FuncId>,
    /// What is called before and after them: see [`super::modes`].
    pub(super) modes: Option<(FuncId, FuncId)>,
}

/// The functions, each with the end of its name.
pub(super) fn functions(parts: &Parts<'_>, module: &mut ObjectModule, steps: &Steps) -> Vec<(&'static str, Function)> {
    let isa = module.isa();
    let mut init = procedure(isa, 2);
    // Returns something, so it cannot save all registers; it has no use for floating-point ones.
    init.call_conv = isa.default_call_conv();
    init.returns.push(AbiParam::new(isa.pointer_type()));
    let [one, three] = [1, 3].map(|pointers| procedure(isa, pointers));
    let mut define = |signature, body: Body<'_>| function(parts, module, signature, body);
    vec![
        ("init", define(init, &mut |m, _, arguments| self::init(m, parts, arguments[0], arguments[1]))),
        (
            "reset",
            define(one.clone(), &mut |m, _, arguments| {
                restore(m, parts, arguments[0], parts.layout.persistent);
                vec![]
            }),
        ),
        (
            "step",
            define(three, &mut |m, module, arguments| {
                step(m, parts, module, steps, arguments);
                vec![]
            }),
        ),
        (
            "flush",
            define(one.clone(), &mut |m, module, arguments| {
                between_steps(m, module, steps, [steps.flush, steps.settle], arguments[0]);
                vec![]
            }),
        ),
        (
            "patched",
            define(one, &mut |m, module, arguments| {
                look(m, parts, module, steps, arguments[0]);
                vec![]
            }),
        ),
    ]
}

/// A function whose first argument is the block.
fn function(parts: &Parts<'_>, module: &mut ObjectModule, signature: Signature, body: Body<'_>) -> Function {
    let abilities = Abilities::of(module.isa());
    let mut context = FunctionBuilderContext::new();
    let mut function = Function::with_name_signature(UserFuncName::default(), signature);
    let mut c = Clif::new(FunctionBuilder::new(&mut function, &mut context), abilities);
    let arguments = c.enter();
    let mut m = Memories::new(c, arguments[0], parts.lowered, &parts.layout.homes, false);
    let results = body(&mut m, module, &arguments);
    let isa: &dyn TargetIsa = module.isa();
    m.c.leave(&results, isa);
    function
}

fn init(m: &mut Memories<'_, '_>, parts: &Parts<'_>, memory: Value, size: Value) -> Vec<Value> {
    let (good, refused) = (m.c.b.create_block(), m.c.b.create_block());
    let odd = m.c.b.ins().band_imm_u(memory, ALIGN as i64 - 1);
    let null = m.c.b.ins().icmp_imm_u(IntCC::Equal, memory, 0);
    let small = m.c.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, size, parts.layout.bytes as i64);
    let wrong = m.c.b.ins().bor(null, small);
    let wrong = m.c.b.ins().uextend(I64, wrong);
    let wrong = m.c.b.ins().bor(wrong, odd);
    m.c.b.ins().brif(wrong, refused, &[], good, &[]);
    m.c.b.switch_to_block(refused);
    let nothing = m.index(0);
    m.c.b.ins().return_(&[nothing]);
    m.c.b.switch_to_block(good);
    restore(m, parts, memory, parts.layout.bytes);
    vec![memory]
}

/// Copies the initial state to the block and fills it with zeros up to `end`.
fn restore(m: &mut Memories<'_, '_>, parts: &Parts<'_>, block: Value, end: usize) {
    let flags = MemFlagsData::new().with_notrap();
    let words = parts.image.len() / 8;
    if words > 0 {
        let image = m.symbol(IMAGE);
        m.repeat(words, |m, word| {
            let offset = m.c.b.ins().ishl_imm_u(word, 3);
            let (from, to) = (m.c.b.ins().iadd(image, offset), m.c.b.ins().iadd(block, offset));
            let value = m.c.b.ins().load(I64, flags, from, 0);
            m.c.b.ins().store(flags, value, to, 0);
        });
    }
    let zero = m.index(0);
    m.repeat(end / 8 - words, |m, word| {
        let offset = m.c.b.ins().ishl_imm_u(word, 3);
        let to = m.c.b.ins().iadd(block, offset);
        let to = m.c.b.ins().iadd_imm_s(to, 8 * words as i64);
        m.c.b.ins().store(flags, zero, to, 0);
    });
}

fn step(m: &mut Memories<'_, '_>, parts: &Parts<'_>, module: &mut ObjectModule, steps: &Steps, arguments: &[Value]) {
    let (block, inputs, outputs) = (arguments[0], arguments[1], arguments[2]);
    let relies = parts.lowered.dense.is_some();
    let mut beyond = m.c.b.ins().iconst(I8, 0);
    for port in &parts.layout.inputs {
        let limit = (relies && port.dtype.is_float()).then(|| largest_input(port.dtype));
        beyond = ports::take(m, port, inputs, limit, beyond);
    }
    let flags = MemFlagsData::new().with_notrap();
    let mut whole = None;
    if let Some(switch) = parts.lowered.dense {
        let outside = m.c.b.ins().load(I32, flags, block, parts.layout.outside as i32);
        let beyond = m.c.b.ins().uextend(I32, beyond);
        let all = m.c.b.ins().bor(outside, beyond);
        let place = m.place(switch, &vec![], None, &[]);
        m.store_element(place, None, 0, all);
        whole = Some(all);
    }
    call(m, module, steps, &steps.functions, block);
    for port in &parts.layout.outputs {
        ports::give(m, port, outputs);
    }
    if let Some(all) = whole {
        let (look_again, done) = (m.c.b.create_block(), m.c.b.create_block());
        m.c.b.ins().brif(all, look_again, &[], done, &[]);
        m.c.b.switch_to_block(look_again);
        look(m, parts, module, steps, block);
        m.c.b.ins().jump(done, &[]);
        m.c.b.switch_to_block(done);
    }
}

/// Calls functions of the program, in the mode for them.
fn call(m: &mut Memories<'_, '_>, module: &mut ObjectModule, steps: &Steps, functions: &[FuncId], block: Value) {
    let mode = steps.modes.map(|(flush, restore)| {
        let flush = module.declare_func_in_func(flush, m.c.b.func);
        let call = m.c.b.ins().call(flush, &[]);
        (m.c.b.inst_results(call)[0], restore)
    });
    for &function in functions {
        let function = module.declare_func_in_func(function, m.c.b.func);
        m.c.b.ins().call(function, &[block]);
    }
    if let Some((former, restore)) = mode {
        let restore = module.declare_func_in_func(restore, m.c.b.func);
        m.c.b.ins().call(restore, &[former]);
    }
}

/// Does what was put off, of these kinds.
fn between_steps<const N: usize>(
    m: &mut Memories<'_, '_>,
    module: &mut ObjectModule,
    steps: &Steps,
    functions: [Option<FuncId>; N],
    block: Value,
) {
    let functions: Vec<FuncId> = functions.into_iter().flatten().collect();
    if !functions.is_empty() {
        call(m, module, steps, &functions, block);
    }
}

/// Notes in the block whether values are outside of the ranges that the code relies on.
fn look(m: &mut Memories<'_, '_>, parts: &Parts<'_>, module: &mut ObjectModule, steps: &Steps, block: Value) {
    if parts.lowered.dense.is_some() {
        between_steps(m, module, steps, [steps.flush], block);
        let outside = ranges::outside(m, parts.ranges);
        let outside = m.c.b.ins().uextend(I32, outside);
        m.c.b.ins().store(MemFlagsData::new().with_notrap(), outside, block, parts.layout.outside as i32);
    }
}
