//! Passes: each rewrites a program into a better one.
//!
//! | pass | what | exact |
//! |---|---|---|
//! | [`fold`](fold()) | operations on constants become constants | yes |
//! | [`simplify`](simplify()) | algebra that holds for every bit pattern (`x·1`, `−−x`, `x/2^k`, constant selects, ...) | yes |
//! | [`cse`](cse()) | equal operations and constants are kept once | yes |
//! | [`dce`](dce()) | operations nothing depends on go | yes |
//! | `narrow` | states that are the same along an axis are kept once | yes |
//! | `delay_filters` | filters move before the delays of what they filter | yes |
//! | `sum_filters` | sums move before linear filters | no: sums are taken in another order |
//! | `lazy_decay` | values that only decay are brought up to date where a spike is | no: a power of the factor is rounded, not each product |
//! | `events` | loops over synapses visit those with a spike | yes |
//! | `deferred` | events of rows wait until one of columns touches the same elements | yes |
//! | `layouts` | arrays that are visited by columns lie in memory by columns (done by [`lower`](crate::loops::lower)) | yes |
//!
//! [`CompileOptions`] has two more choices, which concern the code: intrinsics, and what becomes of subnormal numbers.
//!
//! Each is one file with its conditions; [`optimize`] runs those that [`CompileOptions`] asks for, verifying in between in
//! debug builds. They see arrays and operations, never names. What they did and what kept them from doing more is
//! [`Optimized::notes`].

mod absent;
mod cse;
mod dce;
mod deferred;
mod delay_filters;
mod events;
pub(crate) mod fold;
mod lazy_decay;
mod linear;
mod narrow;
pub mod ranges;
mod report;
mod rewrite;
mod simplify;
mod sum_filters;
mod views;

pub use cse::cse;
pub use dce::dce;
pub use events::{Delayed, Later, Visit, Visits};
pub use fold::fold;
pub use report::Note;
pub use simplify::simplify;
pub(crate) use views::STEPS;
pub use views::{Keeper, StateView, View};

use crate::ir::{Elem, Literal, Node, Op, Program, Shape, verify};

/// What the compiler may do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CompileOptions {
    /// Run [`fold`](fold()).
    pub fold: bool,
    /// Run [`simplify`](simplify()).
    pub simplify: bool,
    /// Run [`cse`](cse()).
    pub cse: bool,
    /// Run [`dce`](dce()).
    pub dce: bool,
    /// Keep states once that are the same along an axis.
    pub narrow: bool,
    /// Move filters before the delays of what they filter.
    pub delay_filters: bool,
    /// Move sums before linear filters. Changes results in the last bits: the same numbers are added in another order.
    pub sum_filters: bool,
    /// Multiply values that only decay by a power of their factor where a spike is; needs `events`. Changes results in the last bits:
    /// a power is rounded once, not in every step.
    pub lazy_decay: bool,
    /// Visit only synapses with a spike.
    pub events: bool,
    /// Put events of rows off until one of columns touches the same elements.
    pub deferred: bool,
    /// Keep arrays in memory column by column where visits go over columns.
    pub layouts: bool,
    /// Of `layouts`: bytes from which on and up to which an array lies by delay within its columns, if it is visited by delay. In
    /// smaller ones, which stay in the fastest caches, and in larger ones, which fit into none, looking up places costs more
    /// than it saves (measured: a gain of a tenth to a fifth at 2 MiB, of a twentieth at 8 MiB, none at 0.5 and 33 MiB).
    pub by_delay: [usize; 2],
    /// Call intrinsics where this machine has them: the same results, faster.
    pub intrinsics: bool,
    /// Have subnormal numbers count as zero while a step runs, as XLA does: a trace that decays reaches zero instead of staying
    /// among them, where some processors are slow. Changes results below 1.2·10⁻³⁸ (2.2·10⁻³⁰⁸ in `f64`) only; numbers stored in
    /// half precision stay as they are.
    pub flush_subnormals: bool,
}

/// See [`CompileOptions::by_delay`].
const BY_DELAY: [usize; 2] = [1 << 20, 8 << 20];

impl Default for CompileOptions {
    fn default() -> CompileOptions {
        CompileOptions { sum_filters: true, lazy_decay: true, flush_subnormals: true, ..CompileOptions::exact() }
    }
}

impl CompileOptions {
    /// No optimisation: operations are lowered as recorded.
    pub fn none() -> CompileOptions {
        CompileOptions {
            fold: false,
            simplify: false,
            cse: false,
            dce: false,
            narrow: false,
            delay_filters: false,
            sum_filters: false,
            lazy_decay: false,
            events: false,
            deferred: false,
            layouts: false,
            by_delay: BY_DELAY,
            intrinsics: false,
            flush_subnormals: false,
        }
    }

    /// All passes that give the same bits as the program as recorded.
    pub fn exact() -> CompileOptions {
        CompileOptions {
            fold: true,
            simplify: true,
            cse: true,
            dce: true,
            narrow: true,
            delay_filters: true,
            sum_filters: false,
            lazy_decay: false,
            events: true,
            deferred: true,
            layouts: true,
            by_delay: BY_DELAY,
            intrinsics: true,
            flush_subnormals: false,
        }
    }
}

impl CompileOptions {
    /// All passes that leave every state in the form in which it was declared, or one that tells as much.
    pub fn whole_states() -> CompileOptions {
        CompileOptions { delay_filters: false, ..CompileOptions::exact() }
    }

    /// The passes and the choices that concern the code, each with its name.
    fn named(&mut self) -> [(&'static str, &mut bool); 13] {
        [
            ("fold", &mut self.fold),
            ("simplify", &mut self.simplify),
            ("cse", &mut self.cse),
            ("dce", &mut self.dce),
            ("narrow", &mut self.narrow),
            ("delay_filters", &mut self.delay_filters),
            ("sum_filters", &mut self.sum_filters),
            ("lazy_decay", &mut self.lazy_decay),
            ("events", &mut self.events),
            ("deferred", &mut self.deferred),
            ("layouts", &mut self.layouts),
            ("intrinsics", &mut self.intrinsics),
            ("flush_subnormals", &mut self.flush_subnormals),
        ]
    }

    /// Names of all passes and choices.
    pub fn names() -> [&'static str; 13] {
        CompileOptions::none().named().map(|(name, _)| name)
    }

    /// Names of those that are on.
    pub fn on(mut self) -> Vec<&'static str> {
        self.named().into_iter().filter(|(_, on)| **on).map(|(name, _)| name).collect()
    }

    /// These options with what is called `name` switched on or off; `None` if there is no such name.
    pub fn with(mut self, name: &str, on: bool) -> Option<CompileOptions> {
        *self.named().into_iter().find(|(known, _)| *known == name)?.1 = on;
        Some(self)
    }
}

type Pass = fn(&Program) -> Program;

/// A program after the passes; the input of lowering.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimized {
    program: Program,
    visits: Visits,
    views: Vec<StateView>,
    notes: Vec<Note>,
    layouts: Option<[usize; 2]>,
}

impl Optimized {
    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Which operations are done for a part of their domain only.
    pub fn visits(&self) -> &Visits {
        &self.visits
    }

    /// How the host sees each state.
    pub fn views(&self) -> &[StateView] {
        &self.views
    }

    /// If lowering may choose the order of arrays in memory, [`CompileOptions::by_delay`].
    pub fn layouts(&self) -> Option<[usize; 2]> {
        self.layouts
    }

    /// What the passes did, and what kept them from doing more.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The same program without visit `number`: its operations are done for the whole domain.
    pub(crate) fn without_visit(mut self, number: usize, why: &str) -> Optimized {
        self.visits.of.iter_mut().for_each(|of| *of = of.filter(|&n| n != number));
        // Nothing needs what would have been replayed.
        for id in self.visits.list[number].later.take().into_iter().flat_map(|later| later.nodes) {
            let node = &mut self.program.nodes[id.index()];
            *node = Node {
                op: Op::Literal(Literal::Bool(false)),
                elem: Elem::Bool,
                shape: Shape::scalar(),
                ..node.clone()
            };
        }
        self.notes.push(Note::left("events", &format!("visit {number}"), why));
        self
    }
}

/// Runs the passes `options` asks for.
pub fn optimize(program: Program, options: &CompileOptions) -> Optimized {
    let whole = |s: &crate::ir::State| StateView { shape: s.init.shape().clone(), view: View::Whole };
    let mut views: Vec<StateView> = program.states.iter().map(whole).collect();
    let mut notes = Vec::new();
    let mut program = cleaned(checked(program, "tracing"), options);
    type Structural = fn(&Program, &mut [StateView], &mut Vec<Note>) -> Program;
    let structural: [(bool, Structural, &str); 3] = [
        (options.narrow, narrow::narrow, "narrow"),
        (options.delay_filters, delay_filters::delay_filters, "delay filters"),
        (options.sum_filters, sum_filters::sum_filters, "sum filters"),
    ];
    for (on, pass, name) in structural {
        let before = notes.len();
        if on {
            program = checked(pass(&program, &mut views, &mut notes), name);
        }
        if notes[before..].iter().any(|note| note.applied) {
            program = cleaned(program, options);
        }
    }
    if options.lazy_decay && options.events {
        let lazy = lazy_decay::lazy_decay(&program, &mut views, &mut notes);
        if lazy.states.len() > program.states.len() {
            program = cleaned(checked(lazy, "lazy decay"), options);
        }
    }
    let kept = views::pushed(&program);
    views.iter_mut().for_each(|view| view.keep_only(&kept));
    let mut visits = Visits { of: vec![None; program.nodes.len()], ..Visits::default() };
    if options.events {
        (program, visits) = events::events(&program, &mut notes);
        program = checked(program, "events");
        if options.deferred {
            deferred::deferred(&mut program, &mut visits, &mut notes);
            program = checked(program, "deferred");
        }
    }
    Optimized { program, visits, views, notes, layouts: options.layouts.then_some(options.by_delay) }
}

/// The program after the passes that leave its states alone.
fn cleaned(mut program: Program, options: &CompileOptions) -> Program {
    let passes: [(bool, Pass, &str); 4] = [
        (options.fold, fold, "fold"),
        (options.simplify, simplify, "simplify"),
        (options.cse, cse, "cse"),
        (options.dce, dce, "dce"),
    ];
    for (on, pass, name) in passes {
        if on {
            program = checked(pass(&program), name);
        }
    }
    program
}

fn checked(program: Program, phase: &str) -> Program {
    if cfg!(debug_assertions)
        && let Err(error) = verify(&program)
    {
        crate::bug!("after {phase}: {error}\n{program}");
    }
    program
}
