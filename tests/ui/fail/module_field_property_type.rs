use spark::prelude::*;

#[spark::config]
struct SomaConfig {}

#[spark::module]
struct Soma {
    #[config]
    config: SomaConfig,
    #[variable(property = SpikeArray)]
    potential: Real,
    #[variable(property = FloatArray)]
    counter: Int,
    #[variable(property = FloatArray)]
    trace: Real,
}

impl Soma {
    fn trace(&self) -> Real {
        self.trace
    }
}

fn main() {}
