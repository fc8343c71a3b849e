use spark::prelude::*;

#[spark::config]
struct SomaConfig {
    #[param(default = 1.0)]
    gain: f64,
}

#[spark::module]
struct Soma {
    #[config]
    config: SomaConfig,
    #[variable]
    potential: Real,
}

#[spark::module]
impl Soma {
    fn build(_cx: &mut Build, config: SomaConfig) -> Result<Self> {
        Ok(Soma { config, potential: Real::from(0.0) })
    }

    #[step(out = (spikes, potential))]
    fn step(&mut self, current: CurrentArray) -> SpikeArray {
        self.potential = self.potential * current;
        SpikeArray::new(self.potential > 1.0, None)
    }
}

fn main() {}
