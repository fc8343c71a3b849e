use spark::prelude::*;

#[spark::payload]
struct HostNumber {
    value: f32,
}

#[spark::payload]
struct Pair(Real, Real);

#[spark::payload]
struct Flags {
    value: Real,
    #[async_spikes]
    first: Bool,
    #[async_spikes(true)]
    second: bool,
}

#[spark::payload(name)]
struct Generic<T> {
    value: T,
}

#[spark::payload]
fn function() {}

fn main() {}
