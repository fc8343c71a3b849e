mod common;
mod synapses;
use spark_compiler::passes::{CompileOptions, optimize};
#[test]
fn notes() {
    let options = CompileOptions { lazy_decay: true, ..CompileOptions::exact() };
    let mut count = std::collections::BTreeMap::new();
    for seed in 0..400 {
        let program = synapses::program(seed, true);
        if !program.states.iter().any(|s| s.name.starts_with("elig")) { continue; }
        let o = optimize(program.clone(), &options);
        for note in o.notes() {
            if note.what.starts_with("elig") {
                let mut t = format!("{} {} {}", note.applied, note.pass, note.why);
                t.retain(|c| !c.is_ascii_digit());
                *count.entry(t).or_insert((0, seed)) = (count.get(&t).map_or(0, |c: &(i32,u64)| c.0) + 1, seed);
            }
        }
    }
    for (k, v) in count { println!("{v:?} {k}"); }
    if let Ok(seed) = std::env::var("SEED") {
        let program = synapses::program(seed.parse().unwrap(), true);
        println!("{program}");
        let o = optimize(program.clone(), &options);
        for note in o.notes() { println!("{note}"); }
        println!("{}", o.program());
    }
}
#[test]
fn ranges_of() {
    let seed = std::env::var("SEED").unwrap().parse().unwrap();
    let program = synapses::program(seed, true);
    let r = spark_compiler::passes::ranges::ranges(&program);
    for (id, node) in program.iter() { println!("{id} {:?} {:?}", node.op, r.of(id)); }
    for (i, s) in program.states.iter().enumerate() { println!("{} {:?}", s.name, r.of_state(spark_compiler::ir::StateId::from_index(i))); }
}
