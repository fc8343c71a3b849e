use spark::prelude::*;

#[spark::module]
struct Generic<T> {
    #[variable]
    value: T,
}

#[spark::module]
impl<T> Generic<T> {
    fn build(_cx: &mut Build, _config: ()) -> Result<Self> {
        todo!()
    }

    #[step]
    fn step(&mut self) {}
}

#[spark::module]
enum Choice {
    One,
}

fn main() {}
