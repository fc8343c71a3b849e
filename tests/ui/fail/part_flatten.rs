use spark::prelude::*;

#[spark::part]
struct Valued {
    #[module(flatten = true)]
    trace: Tracer,
}

#[spark::part]
struct Misspelled {
    #[module(flaten)]
    trace: Tracer,
}

#[spark::part]
struct Holder<T> {
    #[module(flatten)]
    part: T,
}

/// Not a part.
#[derive(Clone, Copy)]
struct Plain;

#[spark::part]
struct Wrong {
    #[module]
    holder: Holder<Plain>,
}

fn main() {
    let _ = |valued: Valued, misspelled: Misspelled, wrong: Wrong| (valued.trace, misspelled.trace, wrong.holder.part);
}
