"""Records what the Python Spark makes of configurations: new seeds, partial configurations, defaults.

    python tests/interop/record_config.py

writes tests/golden/config/. Needs the Python Spark (spark-snn 1.0.0).
"""

import json
import pathlib

from reference import spark
import jax.numpy as jnp
from spark.core.config import SparkConfig

GOLDEN = pathlib.Path(__file__).parent.parent / "golden"
OUT = GOLDEN / "config"


def seeds(config, path=""):
    """Seeds by dotted path, through modules and nested configurations."""
    found = {}
    for name, _, value in config:
        here = f"{path}.{name}" if path else name
        if name == "seed":
            found[here] = value
        elif name == "modules_specs":
            for module in value:
                found |= seeds(module.config, f"{path}.{module.name}" if path else module.name)
        elif isinstance(value, SparkConfig):
            found |= seeds(value, here)
    return found


def read(name):
    return SparkConfig.from_file(str(GOLDEN / name))


def main():
    OUT.mkdir(exist_ok=True)
    spark.register_neuron_from_config_file("ALIFModNeuron", str(GOLDEN / "models/alif_mod_neuron.scfg"))
    files = ["scfg/neuron_lif_f32", "scfg/brain_mutual_lif_f32", "scfg/zenke_rule", "scfg/synapses_traced_normalized"]
    cases = []
    for name in [f"{file}.json.scfg" for file in files] + ["models/ab_brain.scfg"]:
        for seed in (0, 7, 2**32 - 1):
            cases.append({"file": name, "seed": seed, "seeds": seeds(read(name).with_new_seeds(seed))})
    (OUT / "seeds.json").write_text(json.dumps(cases, indent=1) + "\n")

    lif = read("scfg/neuron_lif_f32.json.scfg")
    lif.merge({"_s_dt": 0.5, "soma__potential_tau": 33.0, "hebbian_rule__eta": 0.5, "inhibitory_rate": 0.4})
    lif.to_file(str(OUT / "merged_neuron.json.scfg"), compress=False)

    brain = read("scfg/brain_mutual_lif_f32.json.scfg")
    brain.merge({"_s_dtype": jnp.float16, "pool_a__soma__threshold": -45.0, "pool_b___s_units": (3, 5), "spiker__max_freq": 77.0})
    brain.to_file(str(OUT / "merged_brain.json.scfg"), compress=False)

    synapses = read("scfg/synapses_traced_normalized.json.scfg")
    synapses.merge({"kernel__scale": 4.0, "_s_dtype": jnp.float16})
    synapses.to_file(str(OUT / "merged_synapses.json.scfg"), compress=False)

    from spark.nn.neurons.adex import AdExNeuronConfig
    from spark.nn.neurons.alif import ALIFNeuronConfig
    from spark.nn.neurons.lif import LIFNeuronConfig

    for config in (LIFNeuronConfig, ALIFNeuronConfig, AdExNeuronConfig):
        made = config(units=(4, 2), _s_dtype=jnp.float32, _s_dt=0.25, soma__potential_rest=-66.0).with_new_seeds(5)
        made.to_file(str(OUT / f"{config.__name__}.json.scfg"), compress=False)


main()
