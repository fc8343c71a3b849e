//! A user's own rule with a trace per synapse: it costs what its spikes cost, and nobody sees how it is kept.

#[path = "support/eligibility.rs"]
mod eligibility;

use eligibility::synapses;
use spark::prelude::*;
use spark_compiler::passes::CompileOptions;

fn build(units: usize, inputs: usize, delayed: bool, options: CompileOptions) -> Model {
    let builder = Model::component(synapses(units, delayed)).input("in_spikes", [inputs]).input("post_spikes", [units]);
    builder.options(options).build().unwrap()
}

#[test]
fn debug() {
    for delayed in [false, true] {
        let model = build(16, 32, delayed, CompileOptions::default());
        for note in model.instance().unwrap().kernel().notes() {
            println!("{note}");
        }
        println!("{:?}", model.states());
        println!("{}", model.instance().unwrap().kernel().lowered());
    }
}
