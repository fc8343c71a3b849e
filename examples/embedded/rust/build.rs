// Compiles the brain for the machine that the program is built for.

fn main() -> Result<(), spark::Error> {
    spark::aot::Build::new("../cartpole.scfg")
        .name("cartpole")
        .input("signal", [16])
        .input("mod_a", [1])
        .input("mod_b", [1])
        .input("mod_critic", [1])
        .run()?;
    Ok(())
}
