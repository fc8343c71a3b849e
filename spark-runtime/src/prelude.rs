//! Everything a module or a program that runs models usually needs: `use spark::prelude::*;`.

pub use crate::bounds::bounded;
pub use crate::build::Build;
pub use crate::clock::step_index;
pub use crate::config::{Config, Param, Units};
pub use crate::controller::{Brain, BrainConfig, ModuleSpecs, Neuron, NeuronConfig, NeuronModel, PortMap};
pub use crate::delay::DelayLine;
pub use crate::error::{Error, Result};
pub use crate::init::{
    Constant, FixedIndegree, InitOverrides, Initializer, LogNormal, Normal, NormalizedSparseUniform, SparseUniform,
    Uniform,
};
pub use crate::model::{InputShape, Model};
pub use crate::module::{FieldVisitor, Nested};
pub use crate::nn::delays::*;
pub use crate::nn::interfaces::*;
pub use crate::nn::neurons::*;
pub use crate::nn::plasticity::*;
pub use crate::nn::somas::*;
pub use crate::nn::synapses::*;
pub use crate::nn::tracers::*;
pub use crate::payload::{
    BooleanMask, ConductanceArray, CurrentArray, FloatArray, HostPayload, IntegerArray, IntegerMask, Payload,
    PotentialArray, SpikeArray, ValuePayload,
};
pub use crate::random::{KeyChain, RandomStream};
pub use crate::state::State;
pub use spark_compiler::array::{Bool, Int, Real};
pub use spark_compiler::ir::{Array, Axis, DType, Data, Shape};
