"""Records transitions of Gymnasium's CartPole-v1 in double precision, as tests/cartpole.rs compares them.

    python -m venv venv && venv/bin/pip install gymnasium==1.4.0 safetensors numpy
    venv/bin/python tests/golden/cartpole/record.py tests/golden/cartpole/transitions.safetensors
"""

import sys

import gymnasium
import numpy as np
from safetensors.numpy import save_file

rng = np.random.default_rng(20)

# Each policy gives an action from the state and the step.
POLICIES = {
    "random": lambda state, step: int(rng.integers(2)),
    "left": lambda state, step: 0,
    "right": lambda state, step: 1,
    "alternating": lambda state, step: step % 2,
    # Up to the time limit, and until the cart leaves the track.
    "upright": lambda state, step: int(state[2] + 0.5 * state[3] > 0),
    "upright_and_centred": lambda state, step: int(
        state[2] + 0.3 * state[3] + 0.02 * state[0] + 0.05 * state[1] > 0
    ),
    "leaving": lambda state, step: int(state[2] + 0.3 * state[3] > 0.06),
}
EPISODES = {"random": 8, "left": 2, "right": 2, "alternating": 2, "upright": 1, "upright_and_centred": 1, "leaving": 1}

names = ("state", "action", "next_state", "reward", "terminated", "truncated", "first")
rows = {name: [] for name in names}
env = gymnasium.make("CartPole-v1")
seed = 0
for policy, episodes in EPISODES.items():
    for _ in range(episodes):
        env.reset(seed=seed)
        seed += 1
        step, done = 0, False
        while not done:
            state = np.array(env.unwrapped.state, dtype=np.float64)
            action = POLICIES[policy](state, step)
            _, reward, terminated, truncated, _ = env.step(action)
            row = (state, action, np.array(env.unwrapped.state), reward, terminated, truncated, step == 0)
            for name, value in zip(names, row):
                rows[name].append(value)
            step, done = step + 1, terminated or truncated
        print(f"{policy}: {step} steps, terminated {terminated}, truncated {truncated}")

tensors = {name: np.array(values) for name, values in rows.items()}
for name in ("state", "next_state", "reward"):
    tensors[name] = tensors[name].astype(np.float64)
for name in ("action", "terminated", "truncated", "first"):
    tensors[name] = tensors[name].astype(np.uint8)
save_file(tensors, sys.argv[1], {"gymnasium": gymnasium.__version__, "environment": "CartPole-v1"})
