use spark::prelude::*;

#[spark::config]
struct SomaConfig {}

#[spark::module]
struct Soma {
    #[config(property = FloatArray)]
    config: SomaConfig,
    #[variable(property = "PotentialArray")]
    potential: Real,
    #[variable(axis = (post, pre), set)]
    kernel: Real,
    #[constant(property = FloatArray, set)]
    rate: Real,
    #[variable(proprety = FloatArray)]
    trace: Real,
    #[variable(property = FloatArray, axis = post_pre, set = true)]
    weight: Real,
}

#[spark::part]
struct Part {
    #[variable(property = FloatArray)]
    trace: Real,
}

fn main() {}
