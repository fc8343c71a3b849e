use spark::prelude::*;

#[spark::config]
pub struct RelayConfig {}

#[spark::module(category = "Test")]
pub struct Relay {
    #[config]
    config: RelayConfig,
}

#[spark::module]
impl Relay {
    fn build(_: &mut Build, config: RelayConfig) -> Result<Self> {
        Ok(Self { config })
    }

    #[step(out = y)]
    fn step(&mut self, #[ports] inputs: SomaInputs, current: CurrentArray) -> CurrentArray {
        let _ = inputs;
        current
    }
}

fn main() {}
