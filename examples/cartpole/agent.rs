//! A brain in the loop: it perceives the cart and the pole, acts, and feels pain when the pole falls.
//!
//! Nobody tells the brain what to do, nor how far it is from failing. All it gets besides the state is a punishment of 1
//! when an episode ends in failure. From it the critic learns to foresee danger, the punishment to come, discounted by γ
//! per period. What matters for learning is how much the prediction was wrong (temporal difference error):
//!
//! ε = γ·danger(now) − danger(before), or 1 − danger(before) at the failure.
//!
//! It is the third factor of the critic's plasticity, and with the opposite sign of the pool that acted.
//!
//! Barto, Sutton, Anderson (1983), *Neuronlike adaptive elements that can solve difficult learning control problems*, IEEE
//! Transactions on Systems, Man, and Cybernetics 13.
//! Frémaux, Sprekeler, Gerstner (2013), *Reinforcement learning using a continuous time actor-critic framework with
//! spiking neurons*, PLOS Computational Biology 9.

use super::brain;
use super::environment::{Action, CartPole, FALLEN, Outcome, State, TRACK_END};
use spark::prelude::*;

/// What danger one period ahead counts, γ.
const DISCOUNT: f64 = 0.95;
/// What the pool that did not act learns of it, with the opposite sign.
const OPPONENT: f64 = 0.3;
/// Velocity of the cart that is at the end of its scale, in m/s.
const FAST: f64 = 3.0;
/// Angular velocity of the pole that is at the end of its scale, in rad/s.
const FALLING: f64 = 2.5;
/// Silence between two episodes, in steps.
const PAUSE: usize = 60;

/// A brain that controls the cart.
pub(crate) struct Agent {
    brain: Model,
    learns: bool,
}

/// What the brain made of a period.
#[derive(Clone, Copy, Debug)]
struct Perception {
    action: Action,
    danger: f64,
}

/// The third factors of a period.
#[derive(Clone, Copy, Default, Debug)]
struct Modulation {
    a: f64,
    b: f64,
    critic: f64,
}

impl Agent {
    /// An agent with a new brain. If it does not learn, the third factors stay zero.
    ///
    /// # Errors
    /// If the brain cannot be built.
    pub(crate) fn new(seed: u32, learns: bool) -> Result<Agent> {
        Ok(Agent { brain: brain::build(seed)?, learns })
    }

    /// Plays one episode and gives its length; `None` if `stopped` said so before it was over.
    ///
    /// # Errors
    /// If the brain cannot take a step.
    pub(crate) fn play(&mut self, mut cart_pole: CartPole, stopped: &dyn Fn() -> bool) -> Result<Option<usize>> {
        self.live(&NOTHING, Modulation::default(), PAUSE)?;
        let mut modulation = Modulation::default();
        let mut before: Option<Perception> = None;
        for length in 1.. {
            if stopped() {
                break;
            }
            let now = self.perceive(cart_pole.state(), modulation)?;
            modulation = before.map_or_else(Modulation::default, |before| before.wrong_by(DISCOUNT * now.danger));
            before = Some(now);
            let outcome = cart_pole.step(now.action);
            if outcome == Outcome::Running {
                continue;
            }
            // The consequences of the last two decisions are still to be told.
            self.perceive(cart_pole.state(), modulation)?;
            if outcome == Outcome::Terminated {
                self.perceive(cart_pole.state(), now.wrong_by(1.0))?;
            }
            return Ok(Some(length));
        }
        Ok(None)
    }

    /// Shows the brain a state for one period.
    fn perceive(&mut self, state: State, modulation: Modulation) -> Result<Perception> {
        let outputs = self.live(&signal(state), modulation, brain::PERIOD)?;
        let activity = outputs.get("activity")?.value().to_f64();
        let action = if activity[1] > activity[0] { Action::Right } else { Action::Left };
        Ok(Perception { action, danger: outputs.get("danger")?.value().to_f64()[0] })
    }

    /// Lets the brain take `steps` steps.
    fn live(&mut self, signal: &[f32], modulation: Modulation, steps: usize) -> Result<spark::model::Outputs> {
        let factor = |value: f64| HostPayload::from(vec![if self.learns { value as f32 } else { 0.0 }]);
        let inputs = [
            ("signal", signal.into()),
            ("mod_a", factor(modulation.a)),
            ("mod_b", factor(modulation.b)),
            ("mod_critic", factor(modulation.critic)),
        ];
        self.brain.run(steps, &inputs)
    }
}

impl Perception {
    /// The third factors if the danger turned out to be `danger`.
    fn wrong_by(self, danger: f64) -> Modulation {
        let error = danger - self.danger;
        match self.action {
            Action::Left => Modulation { a: -error, b: OPPONENT * error, critic: error },
            Action::Right => Modulation { a: OPPONENT * error, b: -error, critic: error },
        }
    }
}

/// A signal that is so far out of range that no unit of the spiker answers.
const NOTHING: [f32; brain::SIGNALS] = [100.0; brain::SIGNALS];

/// What the brain sees of a state: its four numbers on a scale from −1 to 1, and sums and differences of any two of them,
/// so that single units of the spiker can stand for combinations, such as "leans to the right and falls to the right".
pub(crate) fn signal(state: State) -> [f32; brain::SIGNALS] {
    let State { position, velocity, angle, angular_velocity } = state;
    let scaled = [position / TRACK_END, velocity / FAST, angle / FALLEN, angular_velocity / FALLING];
    let pairs = (0..4).flat_map(|i| (0..i).map(move |j| (scaled[i], scaled[j])));
    let combined = pairs.flat_map(|(x, y)| [(x + y) / 1.5, (x - y) / 1.5]);
    let mut numbers = scaled.into_iter().chain(combined);
    std::array::from_fn(|_| numbers.next().unwrap_or_default().clamp(-1.0, 1.0) as f32)
}
