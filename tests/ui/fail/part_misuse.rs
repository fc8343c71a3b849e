use spark::prelude::*;

#[spark::part(category = "Parts")]
struct Keyed {
    #[variable]
    x: Real,
}

#[spark::part]
struct Configured {
    #[config]
    config: f64,
    #[varable]
    x: Real,
}

#[spark::part]
fn function() {}

fn main() {
    let _ = (Keyed { x: Real::from(0.0) }, function());
}
