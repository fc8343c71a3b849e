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

fn main() {
    let _ = |valued: Valued, misspelled: Misspelled| (valued.trace, misspelled.trace);
}
