//! The module library is written with what any crate has: here it is compiled once more, as a part of this crate, which sees
//! nothing of Spark but its public interface.

#[allow(dead_code, unreachable_pub, unused_imports, missing_docs)]
#[path = "../spark-runtime/src/nn/mod.rs"]
mod nn;

/// What the library's files import: Spark's prelude, with the models of this crate for Spark's.
mod prelude {
    #![allow(unused_imports)]
    pub(crate) use crate::nn::{
        delays::*, interfaces::*, neurons::*, plasticity::*, somas::*, synapses::*, tracers::*,
    };
    pub(crate) use spark::prelude::{
        Array, Axis, Bool, BooleanMask, Build, ConductanceArray, Config, Constant, CurrentArray, DType, Data,
        DelayLine, Error, FieldVisitor, FixedIndegree, FloatArray, HostPayload, InitOverrides, Initializer, InputShape,
        Int, IntegerArray, IntegerMask, KeyChain, LogNormal, Model, ModuleSpecs, Nested, NeuronConfig, NeuronModel,
        Normal, NormalizedSparseUniform, Param, Payload, PortMap, PotentialArray, RandomStream, Real, Result, Shape,
        SparseUniform, SpikeArray, Uniform, Units, ValuePayload, bounded, step_index,
    };
}

use spark::prelude::{ModuleSpecs, NeuronModel, Shape};

#[test]
fn the_library_compiles_outside_its_crate() {
    // Every model is registered twice in this program, here and in Spark; the message of the registry names both files.
    let error = spark::registry::Registry::global().unwrap_err().to_string();
    for name in ["LeakySoma", "TracedSynapses", "N2NDelays", "ZenkeRule", "Sampler", "AdExNeuron"] {
        assert!(error.contains(&format!("`{name}` is registered twice")), "{name} is not among\n{error}");
    }
}

#[test]
fn what_is_compiled_here_is_the_library() {
    let names = |modules: Vec<ModuleSpecs>| modules.into_iter().map(|specs| specs.module_cls).collect::<Vec<_>>();
    assert_eq!(names(nn::neurons::ALIFNeuron::modules()), names(spark::nn::neurons::ALIFNeuron::modules()));
    let tracer = spark::eager(|| {
        let inputs = Default::default();
        let cx = spark::prelude::Build::new("Example", &inputs);
        let mut tracer = nn::tracers::Tracer::unscaled(&cx, &Shape::units(&[1]), cx.number(10.0));
        tracer.update(cx.number(2.0)).known()
    });
    assert_eq!(tracer.unwrap().unwrap().to_f32(), [2.0]);
}
