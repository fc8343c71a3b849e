//! Everything `#[spark::module]` allows.
use spark::prelude::*;

/// Parameters of [`Leaky`].
#[spark::config]
pub struct LeakyConfig {
    #[param(default = 0.9)]
    pub decay: f64,
}

/// A leaky soma.
#[spark::module(category = "Components/Somas", name = "LeakySoma")]
pub struct Leaky {
    #[config]
    config: LeakyConfig,
    /// Membrane potential.
    #[variable]
    potential: Real,
    #[constant]
    decay: Real,
    #[host]
    clamp: bool,
}

#[spark::module]
impl Leaky {
    fn build(_cx: &mut Build, config: LeakyConfig) -> Result<Self> {
        // Not rewritten: `return` under a host condition, and no closure around it.
        if config.decay < 0.0 {
            return Err("negative decay".into());
        }
        Ok(Leaky {
            potential: Real::from(0.0),
            decay: Real::from(config.decay),
            clamp: true,
            config,
        })
    }

    #[step(out = (spikes, potential), axis = post)]
    fn step(
        &mut self,
        /// Synaptic current.
        current: CurrentArray,
        #[axis(post, pre)] inhibition_mask: Option<BooleanMask>,
        args: Vec<CurrentArray>,
    ) -> (SpikeArray, PotentialArray) {
        self.potential = self.decay * self.potential + self.decay * current;
        for more in args {
            self.potential = self.potential + self.decay * more;
        }
        let fired = self.potential > self.threshold();
        if fired && self.clamp {
            self.reset();
        }
        (SpikeArray::new(fired, inhibition_mask), PotentialArray::new(self.potential))
    }

    /// Membrane potential.
    #[property(axis = (post, pre))]
    fn kernel(&self) -> FloatArray {
        FloatArray::new(self.potential)
    }

    #[property]
    fn set_kernel(&mut self, kernel: FloatArray) {
        self.potential = if kernel.value() > 100.0 { 100.0 } else { kernel.value() };
    }

    #[property]
    fn rate(&self) -> FloatArray {
        FloatArray::new(self.decay)
    }

    fn threshold(&self) -> Real {
        Real::from(if self.config.decay == 0.9 { 1.0 } else { 2.0 })
    }

    fn reset(&mut self) {
        self.potential = Real::from(0.0);
    }

    #[host]
    #[allow(dead_code)]
    fn describe(&self) -> &str {
        if self.clamp { "clamped" } else { "free" }
    }
}

/// A module whose fields are its properties.
#[spark::module]
pub struct Properties {
    #[config]
    config: LeakyConfig,
    /// Weights.
    #[variable(property = FloatArray, axis = (post, pre), set)]
    kernel: Real,
    #[variable(property = spark::payload::IntegerArray)]
    counter: Int,
    #[variable()]
    hidden: Bool,
    #[constant(property = PotentialArray)]
    threshold: Real,
}

#[spark::module]
impl Properties {
    fn build(_cx: &mut Build, config: LeakyConfig) -> Result<Self> {
        let (kernel, threshold) = (Real::from(1.0), Real::from(2.0));
        Ok(Properties { kernel, counter: Int::from(0), hidden: Bool::scalar(true), threshold, config })
    }

    #[step]
    fn advance(&mut self) {
        // Getters and setters are methods like those of computed properties.
        let kernel = self.kernel();
        self.set_kernel(FloatArray::new(kernel.value() + self.threshold().value()));
    }

    #[property]
    fn doubled(&self) -> FloatArray {
        FloatArray::new(2.0 * self.kernel)
    }
}

/// A module with a nested one, without inputs, outputs or properties.
#[spark::module]
pub struct Outer {
    #[module]
    inner: Leaky,
    #[config]
    config: LeakyConfig,
}

#[spark::module]
impl Outer {
    fn build(cx: &mut Build, config: LeakyConfig) -> Result<Self> {
        Ok(Outer { inner: Leaky::build(cx, config.clone())?, config })
    }

    #[step]
    fn advance(&mut self) {
        self.inner.reset();
    }
}

fn main() {}
