use spark::prelude::*;

#[spark::traced]
fn f(x: Real, text: &str) -> Result<Real> {
    let y = if x > 0.0 { text.parse::<f64>().map_err(|error| error.to_string())? } else { 0.0 };
    Ok(x + y)
}

fn main() {}
