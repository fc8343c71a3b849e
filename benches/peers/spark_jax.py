"""The Python Spark on JAX: runs a network that `spark bench --write` wrote.

    spark bench spark-lif 512 --write lif.scfg
    python spark_jax.py lif.scfg --steps 200

The time loop is one `jax.lax.scan` inside one jitted function, so no Python runs between steps. The first call is not
timed. JAX uses all cores that it is given.
"""

import argparse
import os
import sys
import time
import types

os.environ.setdefault("JAX_PLATFORMS", "cpu")
# The package imports its desktop editor, which needs Qt; nothing here does.
for name in ("spark.graph_editor", "spark.graph_editor.editor"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["spark.graph_editor.editor"].SparkGraphEditor = None

import jax
import jax.numpy as jnp
import spark
from spark import FloatArray

from common import emit, peak_rss_mb, tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="the network, FILE.scfg; its inputs are in FILE.safetensors")
    parser.add_argument("--register", action="append", default=[], metavar="NAME=FILE.scfg")
    parser.add_argument("--benchmark", default="", help="what to call it in the output")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--runs", type=int, default=7)
    args = parser.parse_args()

    start = time.perf_counter()
    for neuron in args.register:
        spark.register_neuron_from_config_file(*neuron.split("=", 1))
    arrays = tensors(os.path.splitext(args.model)[0] + ".safetensors")
    inputs = {name: FloatArray(jnp.asarray(array)) for name, array in arrays.items()}
    brain = spark.nn.Brain(config=spark.nn.BrainConfig.from_file(args.model))
    brain(**inputs)
    pools = [key for key in brain._cache if key[1] == "out_spikes"]
    sizes = [brain._cache[key].spikes.size for key in pools]
    graph, state = spark.split(brain)
    build_s = time.perf_counter() - start

    def step(state, _):
        brain = spark.merge(graph, state)
        brain(**inputs)
        spikes = jnp.stack([brain._cache[key].spikes.sum(dtype=jnp.float32) for key in pools])
        return spark.split(brain)[1], spikes

    def run(state):
        state, spikes = jax.lax.scan(step, state, None, length=args.steps)
        return state, spikes.sum(axis=0)

    start = time.perf_counter()
    compiled = jax.jit(run).lower(state).compile()
    compile_s = time.perf_counter() - start
    state, _ = jax.block_until_ready(compiled(state))
    wall, cpu, total = [], [], 0
    for _ in range(args.runs):
        before = time.perf_counter(), time.process_time()
        state, spikes = jax.block_until_ready(compiled(state))
        wall.append(time.perf_counter() - before[0])
        cpu.append(time.process_time() - before[1])
        total = total + spikes
    total = jnp.asarray(total) / args.runs
    dt = 1.0
    rates = total / jnp.asarray(sizes) / (args.steps * dt / 1e3)
    emit(
        f"Python Spark, JAX {jax.__version__}", args.benchmark, sum(sizes), args.steps, dt, wall, cpu, total.sum(), rates,
        populations=[key[0] for key in pools], build_s=build_s, compile_s=compile_s, peak_rss_mb=peak_rss_mb(),
    )


if __name__ == "__main__":
    main()
