//! Everything a module or a program that runs models usually needs: `use spark::prelude::*;`.

pub use crate::build::Build;
pub use crate::clock::step_index;
pub use crate::config::{Config, Param, Units};
pub use crate::controller::{ModuleSpecs, NeuronConfig, PortMap};
pub use crate::delay::DelayLine;
pub use crate::error::{Error, Result};
pub use crate::init::{Constant, Initializer, NormalizedSparseUniform, SparseUniform, Uniform};
pub use crate::model::{InputShape, Model};
pub use crate::nn::delays::{N2NDelays, N2NDelaysConfig, NDelays, NDelaysConfig};
pub use crate::nn::interfaces::{
    Concat, ConcatConfig, ConcatReshape, ConcatReshapeConfig, CurrentSource, CurrentSourceConfig,
    ExponentialIntegrator, ExponentialIntegratorConfig, LinearSpiker, LinearSpikerConfig, PoissonSource,
    PoissonSourceConfig, PoissonSpiker, PoissonSpikerConfig, Sampler, SamplerConfig, TopologicalLinearSpiker,
    TopologicalLinearSpikerConfig, TopologicalPoissonSpiker, TopologicalPoissonSpikerConfig,
};
pub use crate::nn::plasticity::{
    HebbianRule, HebbianRuleConfig, OjaRule, OjaRuleConfig, PairSTDPRule, PairSTDPRuleConfig, PowerLawSTDPRule,
    PowerLawSTDPRuleConfig, QuadrupletRule, QuadrupletRuleConfig, QuadrupletRuleTensor, QuadrupletRuleTensorConfig,
    ThreeFactorHebbianRule, ThreeFactorHebbianRuleConfig, ZenkeRule, ZenkeRuleConfig,
};
pub use crate::nn::somas::{
    AdaptiveExponentialSoma, AdaptiveExponentialSomaConfig, AdaptiveLeakySoma, AdaptiveLeakySomaConfig,
    ExponentialMembrane, ExponentialSoma, ExponentialSomaConfig, IzhikevichSoma, IzhikevichSomaConfig, LeakyMembrane,
    LeakySoma, LeakySomaConfig, Refractory, RefractoryExponentialSoma, RefractoryExponentialSomaConfig,
    RefractoryLeakySoma, RefractoryLeakySomaConfig, SimplifiedAdaptiveExponentialSoma,
    SimplifiedAdaptiveExponentialSomaConfig, StrictRefractoryLeakySoma, StrictRefractoryLeakySomaConfig,
};
pub use crate::nn::synapses::{
    AlphaConductanceSynapses, AlphaConductanceSynapsesConfig, ExponentialConductanceSynapses,
    ExponentialConductanceSynapsesConfig, LinearSynapses, LinearSynapsesConfig, RDTracedSynapses,
    RDTracedSynapsesConfig, RFSTracedSynapses, RFSTracedSynapsesConfig, TracedSynapses, TracedSynapsesConfig,
    TsodyksMarkramSynapses, TsodyksMarkramSynapsesConfig,
};
pub use crate::nn::tracers::{AlphaTracer, RDTracer, RFSTracer, RUTracer, Tracer};
pub use crate::payload::{
    BooleanMask, ConductanceArray, CurrentArray, FloatArray, HostPayload, IntegerArray, IntegerMask, Payload,
    PotentialArray, SpikeArray,
};
pub use crate::random::{KeyChain, RandomStream};
pub use spark_compiler::array::{Bool, Int, Real};
pub use spark_compiler::ir::{Array, Axis, DType, Data, Shape};
