"""NEST: neurons without synapses, as `spark bench update-lif|update-adex|update-hh`, on one thread.

    spark bench update-lif 100000 --write update-lif.scfg
    python nest_update.py lif --inputs update-lif.safetensors --steps 1000

Same parameters and currents as Spark's, float64. NEST integrates the AdEx and Hodgkin-Huxley neurons by an adaptive Runge-Kutta method,
which is more work than one explicit or exponential Euler step: compare these two with that in mind.
"""

import argparse
import time

import nest
import numpy as np

from common import emit, peak_rss_mb, tensors

MODELS = {
    "lif": ("iaf_psc_delta", dict(C_m=200.0, tau_m=20.0, t_ref=2.0, E_L=0.0, V_reset=0.0, V_th=20.0), (0.0, 20.0)),
    "adex": (
        "aeif_cond_exp",
        dict(C_m=281.0, g_L=30.0, E_L=-70.6, V_th=-50.4, Delta_T=2.0, tau_w=144.0, a=4.0, b=80.5, V_reset=-70.6, V_peak=0.0, t_ref=0.0),
        (-70.6, -60.6),
    ),
    "hh": (
        "hh_cond_exp_traub",
        dict(E_L=-60.0, V_T=-63.0, g_L=10.0, C_m=200.0, g_Na=20000.0, g_K=6000.0, E_Na=50.0, E_K=-90.0),
        (-65.0, -55.0),
    ),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("neuron", choices=list(MODELS))
    parser.add_argument("--inputs", required=True, help="the currents: a .safetensors file that `spark bench --write` wrote")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()

    start = time.perf_counter()
    nest.set_verbosity("M_ERROR")
    nest.set(resolution=0.1, local_num_threads=1, rng_seed=1)
    currents = tensors(args.inputs)["current"].astype(np.float64)
    model, parameters, potentials = MODELS[args.neuron]
    neurons = nest.Create(model, len(currents), parameters)
    neurons.I_e = currents
    neurons.V_m = np.random.default_rng(1).uniform(*potentials, len(currents))
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    nest.Prepare()
    build_s = time.perf_counter() - start
    duration = args.steps * 0.1
    nest.Run(duration)
    before = recorder.n_events
    wall, cpu = [], []
    for _ in range(args.runs):
        clocks = time.perf_counter(), time.process_time()
        nest.Run(duration)
        wall.append(time.perf_counter() - clocks[0])
        cpu.append(time.process_time() - clocks[1])
    spikes = (recorder.n_events - before) / args.runs
    nest.Cleanup()
    rate = spikes / len(currents) / (duration / 1e3)
    emit(
        f"NEST {nest.__version__}", f"update-{args.neuron}", len(currents), args.steps, 0.1, wall, cpu, spikes, [rate],
        build_s=build_s, compile_s=0.0, peak_rss_mb=peak_rss_mb(),
    )


if __name__ == "__main__":
    main()
