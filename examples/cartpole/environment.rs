//! CartPole-v1: a pole on a cart, pushed left or right so that it stays upright.
//!
//! The dynamics are Gymnasium's, in double precision; `tests/cartpole.rs` compares them with transitions that Gymnasium
//! made.
//!
//! Barto, Sutton, Anderson (1983), *Neuronlike adaptive elements that can solve difficult learning control problems*, IEEE
//! Transactions on Systems, Man, and Cybernetics 13.

use spark::rng::Key;

/// Gravity, in m/s².
const GRAVITY: f64 = 9.8;
/// Mass of the pole, in kg.
const POLE_MASS: f64 = 0.1;
/// Mass of cart and pole, in kg.
const TOTAL_MASS: f64 = POLE_MASS + 1.0;
/// Half of the pole's length, in m.
const HALF_LENGTH: f64 = 0.5;
/// Force of a push, in N.
const FORCE: f64 = 10.0;
/// Time between two actions, in s.
pub(crate) const INTERVAL: f64 = 0.02;
/// Distance from the centre at which the track ends, in m.
pub(crate) const TRACK_END: f64 = 2.4;
/// Angle at which the pole has fallen: 12°, in rad.
pub(crate) const FALLEN: f64 = 12.0 * 2.0 * std::f64::consts::PI / 360.0;
/// Steps after which an episode is cut off.
pub(crate) const TIME_LIMIT: usize = 500;

/// Where cart and pole are.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct State {
    /// Position of the cart, in m.
    pub(crate) position: f64,
    /// Velocity of the cart, in m/s.
    pub(crate) velocity: f64,
    /// Angle of the pole from upright, to the right, in rad.
    pub(crate) angle: f64,
    /// Angular velocity of the pole, in rad/s.
    pub(crate) angular_velocity: f64,
}

/// What can be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    /// Push the cart to the left.
    Left,
    /// Push the cart to the right.
    Right,
}

/// Whether the episode goes on after a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// It goes on.
    Running,
    /// The pole has fallen, or the cart has left the track.
    Terminated,
    /// The time limit is reached.
    Truncated,
}

/// One episode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CartPole {
    state: State,
    steps: usize,
}

impl CartPole {
    /// An episode that begins near the upright position at rest: every number of the state is drawn uniformly from ±0.05.
    pub(crate) fn new(key: Key) -> CartPole {
        let drawn: Vec<f64> = key.uniform_f32_in(4, -0.05, 0.05).into_iter().map(f64::from).collect();
        let [position, velocity, angle, angular_velocity] = [drawn[0], drawn[1], drawn[2], drawn[3]];
        CartPole::at(State { position, velocity, angle, angular_velocity }, 0)
    }

    /// An episode that has come to `state` in `steps` steps.
    pub(crate) fn at(state: State, steps: usize) -> CartPole {
        CartPole { state, steps }
    }

    /// The state now.
    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// Pushes the cart for one interval (an Euler step, as in Gymnasium).
    pub(crate) fn step(&mut self, action: Action) -> Outcome {
        let State { position, velocity, angle, angular_velocity } = self.state;
        let force = if action == Action::Right { FORCE } else { -FORCE };
        let (sine, cosine) = angle.sin_cos();
        let pull = (force + POLE_MASS * HALF_LENGTH * (angular_velocity * angular_velocity) * sine) / TOTAL_MASS;
        let inertia = HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * (cosine * cosine) / TOTAL_MASS);
        let angular_acceleration = (GRAVITY * sine - cosine * pull) / inertia;
        let acceleration = pull - POLE_MASS * HALF_LENGTH * angular_acceleration * cosine / TOTAL_MASS;
        self.state = State {
            position: position + INTERVAL * velocity,
            velocity: velocity + INTERVAL * acceleration,
            angle: angle + INTERVAL * angular_velocity,
            angular_velocity: angular_velocity + INTERVAL * angular_acceleration,
        };
        self.steps += 1;
        if self.state.position.abs() > TRACK_END || self.state.angle.abs() > FALLEN {
            Outcome::Terminated
        } else if self.steps >= TIME_LIMIT {
            Outcome::Truncated
        } else {
            Outcome::Running
        }
    }
}
