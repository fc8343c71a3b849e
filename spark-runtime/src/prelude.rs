//! Everything a module or a program that runs models usually needs: `use spark::prelude::*;`.

pub use crate::build::Build;
pub use crate::config::{Config, Param, Units};
pub use crate::controller::{ModuleSpecs, NeuronConfig, PortMap};
pub use crate::delay::DelayLine;
pub use crate::error::{Error, Result};
pub use crate::init::{
    Constant, FixedIndegree, Initializer, LogNormal, Normal, NormalizedSparseUniform, SparseUniform, Uniform,
};
pub use crate::model::{InputShape, Model};
pub use crate::nn::delays::{N2NDelays, N2NDelaysConfig, NDelays, NDelaysConfig};
pub use crate::nn::plasticity::{
    HebbianRule, HebbianRuleConfig, OjaRule, OjaRuleConfig, QuadrupletRule, QuadrupletRuleConfig, QuadrupletRuleTensor,
    QuadrupletRuleTensorConfig, ThreeFactorHebbianRule, ThreeFactorHebbianRuleConfig, ZenkeRule, ZenkeRuleConfig,
};
pub use crate::nn::somas::{
    AdaptiveExponentialSoma, AdaptiveExponentialSomaConfig, AdaptiveLeakySoma, AdaptiveLeakySomaConfig,
    ExponentialMembrane, ExponentialSoma, ExponentialSomaConfig, IzhikevichSoma, IzhikevichSomaConfig, LeakyMembrane,
    LeakySoma, LeakySomaConfig, Refractory, RefractoryExponentialSoma, RefractoryExponentialSomaConfig,
    RefractoryLeakySoma, RefractoryLeakySomaConfig, SimplifiedAdaptiveExponentialSoma,
    SimplifiedAdaptiveExponentialSomaConfig, StrictRefractoryLeakySoma, StrictRefractoryLeakySomaConfig,
};
pub use crate::nn::synapses::{
    LinearSynapses, LinearSynapsesConfig, RDTracedSynapses, RDTracedSynapsesConfig, RFSTracedSynapses,
    RFSTracedSynapsesConfig, TracedSynapses, TracedSynapsesConfig,
};
pub use crate::nn::tracers::{RDTracer, RFSTracer, Tracer};
pub use crate::payload::{
    BooleanMask, CurrentArray, FloatArray, HostPayload, IntegerArray, IntegerMask, PotentialArray, SpikeArray,
};
pub use crate::random::RandomStream;
pub use spark_compiler::array::{Bool, Int, Real};
pub use spark_compiler::ir::{Array, Axis, DType, Data, Shape};
