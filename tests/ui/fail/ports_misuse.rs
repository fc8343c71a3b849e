use spark::prelude::*;

#[spark::ports(name = "Keyed")]
struct Keyed {
    current: CurrentArray,
}

#[spark::ports]
struct Unnamed(CurrentArray);

#[spark::ports]
struct Wrong {
    #[axis(past)]
    spikes: SpikeArray,
    number: f64,
    several: &'static [SpikeArray],
}

#[spark::ports]
struct Generic<T> {
    value: T,
}

/// Not a struct of ports.
struct Plain;

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
    fn step(&mut self, #[ports] #[axis(pre)] keyed: Keyed, #[ports] plain: Plain) -> CurrentArray {
        let _ = plain;
        keyed.current
    }
}

fn main() {}
