"""Loads .scfg files with the Python Spark and dumps them again: tests/interop.rs compares what comes back.

    python tests/interop/roundtrip.py IN OUT [NAME=NEURON.scfg ...]

reads every .scfg file of the folder IN and writes what the Python Spark makes of it, plain, into the folder OUT under the same
name. Exits with code 3 if the Python Spark is not installed.
"""

import pathlib
import sys

from reference import spark
from spark.core.config import SparkConfig


def main(source, target, *neurons):
    for neuron in neurons:
        spark.register_neuron_from_config_file(*neuron.split("=", 1))
    for path in sorted(pathlib.Path(source).glob("*.scfg")):
        SparkConfig.from_file(str(path)).to_file(str(pathlib.Path(target) / path.name), compress=False)


main(*sys.argv[1:])
