//! A brain of spiking neurons learns to balance a pole, without the standard library, an allocator or a runtime.
//!
//! `cargo run --release` in this folder: `build.rs` has Spark compile the brain, and the program includes what comes of it.
//! It does what `../main.c` does; of the C library it needs `printf` and a `main` to be called.
#![no_std]
#![no_main]

mod cartpole {
    include!(concat!(env!("OUT_DIR"), "/cartpole.rs"));
}

use cartpole::{Inputs, Memory, Model, Outputs};
use core::ffi::{c_char, c_int};

const EPISODES: usize = 32;
/// Steps of the brain between two decisions, and between two episodes.
const PERIOD: usize = 20;
const PAUSE: usize = 60;
const TIME_LIMIT: usize = 500;
const TRACK_END: f64 = 2.4;
const FALLEN: f64 = 12.0 * 2.0 * core::f64::consts::PI / 360.0;

#[link(name = "c")]
unsafe extern "C" {
    fn printf(format: *const c_char, ...) -> c_int;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Wanted by the precompiled `core` on machines with an operating system, and never called: panics do not unwind.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// A number between −0.05 and 0.05 (xorshift32).
fn drawn(word: &mut u32) -> f64 {
    *word ^= *word << 13;
    *word ^= *word >> 17;
    *word ^= *word << 5;
    f64::from(*word) / 4294967296.0 * 0.1 - 0.05
}

/// Sine and cosine of a small angle: the first terms of their series.
fn sine_cosine(x: f64) -> (f64, f64) {
    let square = x * x;
    let sine = x * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0)));
    let cosine = 1.0 - square / 2.0 * (1.0 - square / 12.0 * (1.0 - square / 30.0 * (1.0 - square / 56.0)));
    (sine, cosine)
}

/// Position and velocity of the cart, angle and angular velocity of the pole.
struct State([f64; 4]);

impl State {
    /// Pushes the cart for 20 ms. True if the pole falls or the cart leaves the track.
    fn push(&mut self, right: bool) -> bool {
        let [position, velocity, angle, turning] = self.0;
        let (sine, cosine) = sine_cosine(angle);
        let force = if right { 10.0 } else { -10.0 };
        let pull = (force + 0.05 * turning * turning * sine) / 1.1;
        let turn = (9.8 * sine - cosine * pull) / (0.5 * (4.0 / 3.0 - 0.1 * cosine * cosine / 1.1));
        let speed_up = pull - 0.05 * turn * cosine / 1.1;
        self.0 = [position + 0.02 * velocity, velocity + 0.02 * speed_up, angle + 0.02 * turning, turning + 0.02 * turn];
        self.0[0].abs() > TRACK_END || self.0[2].abs() > FALLEN
    }

    /// What the brain sees: the state on a scale from −1 to 1, sums and differences of any two of its numbers.
    fn signal(&self) -> [f32; 16] {
        let [position, velocity, angle, turning] = self.0;
        let scaled = [position / TRACK_END, velocity / 3.0, angle / FALLEN, turning / 2.5];
        let pairs = (0..4).flat_map(|i| (0..i).map(move |j| (scaled[i], scaled[j])));
        let combined = pairs.flat_map(|(x, y)| [(x + y) / 1.5, (x - y) / 1.5]);
        let mut numbers = scaled.into_iter().chain(combined);
        core::array::from_fn(|_| numbers.next().unwrap_or_default().clamp(-1.0, 1.0) as f32)
    }
}

#[derive(Clone, Copy)]
struct Perception {
    right: bool,
    danger: f64,
}

/// A brain in the loop.
struct Agent<'a> {
    brain: Model<'a>,
    inputs: Inputs,
    outputs: Outputs,
}

impl Agent<'_> {
    fn live(&mut self, steps: usize) -> Perception {
        for _ in 0..steps {
            self.brain.step(&self.inputs, &mut self.outputs);
        }
        let [left, right] = self.outputs.activity;
        Perception { right: right > left, danger: f64::from(self.outputs.danger[0]) }
    }

    /// The third factors: by how much the danger foreseen was wrong, for the pool that acted and for the critic.
    fn tell(&mut self, before: Perception, danger: f64) {
        let error = danger - before.danger;
        let [acted, other] = [-error, 0.3 * error].map(|factor| [factor as f32]);
        (self.inputs.mod_a, self.inputs.mod_b) = if before.right { (other, acted) } else { (acted, other) };
        self.inputs.mod_critic = [error as f32];
    }

    fn play(&mut self, word: &mut u32) -> usize {
        let mut state = State(core::array::from_fn(|_| drawn(word)));
        // Out of range: no unit of the spiker answers.
        self.inputs = Inputs { signal: [100.0; 16], ..Inputs::ZERO };
        self.live(PAUSE);
        let mut before: Option<Perception> = None;
        for length in 1.. {
            self.inputs.signal = state.signal();
            let now = self.live(PERIOD);
            if let Some(before) = before {
                self.tell(before, 0.95 * now.danger);
            }
            before = Some(now);
            let fallen = state.push(now.right);
            if !fallen && length < TIME_LIMIT {
                continue;
            }
            // The consequences of the last two decisions are still to be told.
            self.inputs.signal = state.signal();
            self.live(PERIOD);
            if fallen {
                self.tell(now, 1.0);
                self.live(PERIOD);
            }
            return length;
        }
        0
    }
}

#[unsafe(no_mangle)]
extern "C" fn main() -> c_int {
    let mut memory = Memory::new();
    let mut agent = Agent { brain: Model::new(&mut memory), inputs: Inputs::ZERO, outputs: Outputs::ZERO };
    let mut word = 2463534242;
    for episode in 1..=EPISODES {
        let length = agent.play(&mut word);
        // SAFETY: the format has two numbers of this size.
        unsafe { printf(c"episode %2d: %3d steps\n".as_ptr(), episode as c_int, length as c_int) };
    }
    0
}
