"""Brian2: neurons without synapses, as `spark bench update-lif|update-adex|update-hh`, in C++ standalone mode on one core.

    spark bench update-lif 100000 --write update-lif.scfg
    python brian2_update.py lif --inputs update-lif.safetensors --steps 1000

Same equations, integration methods, parameters and currents as Spark's; Brian2 computes in float64, its default. Compiler flags:
-O3 -march=native -ffast-math. Clocks are read inside the binary around each run; a first one is not timed and its spikes do not count.
"""

import argparse
import os
import shutil
import tempfile
import time

import brian2
import numpy as np
from brian2 import NeuronGroup, SpikeMonitor, defaultclock, ms, mV, pA, run

from common import emit, tensors

LIF = dict(
    model="""dv/dt = (R_I - v)/(20*ms) : 1 (unless refractory)
             R_I : 1 (constant)""",
    threshold="v > 20", reset="v = 0", refractory=2 * ms, method="exact",
)
ADEX = dict(
    model="""dv/dt = (30*nS*(-70.6*mV - v) + 30*nS*2*mV*exp((v + 50.4*mV)/(2*mV)) - w + I)/(281*pF) : volt
             dw/dt = (4*nS*(v + 70.6*mV) - w)/(144*ms) : amp
             I : amp (constant)""",
    threshold="v > 0*mV", reset="v = -70.6*mV; w += 80.5*pA", method="euler",
)
HH = dict(
    model="""dv/dt = (10*nS*(-60*mV - v) + 20*uS*m**3*h*(50*mV - v) + 6*uS*n**4*(-90*mV - v) + I)/(200*pF) : volt
             dm/dt = alpha_m*(1 - m) - beta_m*m : 1
             dh/dt = alpha_h*(1 - h) - beta_h*h : 1
             dn/dt = alpha_n*(1 - n) - beta_n*n : 1
             u = v/mV + 63 : 1
             alpha_m = 1.28/exprel((13 - u)/4)/ms : Hz
             beta_m = 1.4/exprel((u - 40)/5)/ms : Hz
             alpha_h = 0.128*exp((17 - u)/18)/ms : Hz
             beta_h = 4/(1 + exp((40 - u)/5))/ms : Hz
             alpha_n = 0.16/exprel((15 - u)/5)/ms : Hz
             beta_n = 0.5*exp((10 - u)/40)/ms : Hz
             I : amp (constant)""",
    threshold="v > -20*mV", refractory="v > -20*mV", method="exponential_euler",
)
CLOCKS = """struct timespec wall@, cpu@;
clock_gettime(CLOCK_MONOTONIC, &wall@); clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu@);"""
WRITE = """times << (wall@b.tv_sec - wall@a.tv_sec) + 1e-9*(wall@b.tv_nsec - wall@a.tv_nsec) << " "
      << (cpu@b.tv_sec - cpu@a.tv_sec) + 1e-9*(cpu@b.tv_nsec - cpu@a.tv_nsec) << std::endl;"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("neuron", choices=["lif", "adex", "hh"])
    parser.add_argument("--inputs", required=True, help="the currents: a .safetensors file that `spark bench --write` wrote")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=7)
    args = parser.parse_args()

    start = time.perf_counter()
    currents = tensors(args.inputs)["current"].astype(np.float64)
    neurons = len(currents)
    folder = tempfile.mkdtemp(prefix="brian2-")
    brian2.set_device("cpp_standalone", build_on_run=False, directory=folder)
    brian2.prefs.codegen.cpp.extra_compile_args_gcc = ["-O3", "-march=native", "-ffast-math", "-w"]
    brian2.seed(1)
    defaultclock.dt = 0.1 * ms
    if args.neuron == "lif":
        group = NeuronGroup(neurons, **LIF)
        group.R_I = currents * 0.1  # GOhm
        group.v = "20*rand()"
    elif args.neuron == "adex":
        group = NeuronGroup(neurons, **ADEX)
        group.I = currents * pA
        group.v = "(-70.6 + 10*rand())*mV"
    else:
        group = NeuronGroup(neurons, **HH)
        group.I = currents * pA
        group.v = "(-65 + 10*rand())*mV"
        group.h = 1
    monitor = SpikeMonitor(group, record=False)
    device = brian2.get_device()
    duration = args.steps * defaultclock.dt
    monitor.active = False
    run(duration)
    monitor.active = True
    for number in range(args.runs):
        device.insert_code("main", CLOCKS.replace("@", f"{number}a"))
        run(duration)
        device.insert_code("main", CLOCKS.replace("@", f"{number}b"))
    device.insert_code("main", 'std::ofstream times("times.txt");')
    for number in range(args.runs):
        device.insert_code("main", WRITE.replace("@", str(number)))
    device.build(compile=False, run=False, directory=folder)
    build_s = time.perf_counter() - start
    start = time.perf_counter()
    compiler = brian2.codegen.cpp_prefs.get_compiler_and_args()[0]
    device.compile_source(folder, compiler, debug=False, clean=False)
    compile_s = time.perf_counter() - start
    device.run(folder, "results", with_output=False, run_args=[])
    with open(os.path.join(folder, "times.txt")) as file:
        wall, cpu = zip(*(map(float, line.split()) for line in file))
    spikes = int(monitor.num_spikes) / args.runs
    shutil.rmtree(folder, ignore_errors=True)
    rate = spikes / neurons / (args.steps * 1e-4)
    emit(
        f"Brian2 {brian2.__version__}, C++", f"update-{args.neuron}", neurons, args.steps, 0.1, wall, cpu, spikes, [rate],
        build_s=build_s, compile_s=compile_s,
    )


if __name__ == "__main__":
    main()
