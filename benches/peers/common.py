"""What the peers' scripts share: reading the inputs that `spark bench --write` leaves, and the line of JSON."""

import json
import resource
import statistics

import numpy as np

_TYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I32": "<i4", "U8": "u1"}


def tensors(path):
    """The arrays of a .safetensors file, by name."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        data = file.read()
    arrays = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            arrays[name] = np.frombuffer(data[start:end], _TYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def peak_rss_mb():
    """The most memory that this process had, in MiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def emit(peer, benchmark, neurons, steps, dt, wall, cpu, spikes, rates, **others):
    """Prints the line; `wall` and `cpu` are the seconds of each run, `spikes` the mean of a run."""
    sim_s, cpu_s = statistics.median(wall), statistics.median(cpu)
    seconds = steps * dt / 1e3
    line = {
        "peer": peer,
        "benchmark": benchmark,
        "N": int(neurons),
        "simulated_ms": steps * dt,
        "dt": dt,
        "steps": steps,
        "runs": len(wall),
        "sim_s": sim_s,
        "cpu_s": cpu_s,
        "ms_per_step": sim_s / steps * 1e3,
        "runs_ms_per_step": [round(s / steps * 1e3, 6) for s in wall],
        "spikes": round(float(spikes), 2),
        "mean_rate_hz": round(float(spikes) / neurons / seconds, 4),
        "pop_rates_hz": [round(float(rate), 3) for rate in rates],
        "ns_per_neuron_step_cpu": round(cpu_s / (steps * neurons) * 1e9, 4),
        **others,
    }
    print("JSON " + json.dumps(line), flush=True)
