#!/usr/bin/env python3
"""Runs `spark bench` and the peers in turns and writes what came out.

    benches/peers/compare.py --spark target/release/spark --jax JAX_ENV/bin/python --brian2 BRIAN2_ENV/bin/python

Every benchmark is written to a file by `spark bench --write`, which the peer reads: both run the same network with the same inputs.
In FOLDER: `results.jsonl`, a line for each run of each; `peers.md`, medians and their ratios; with --sweeps the pictures over
rates and sizes. --update puts the tables and pictures where the documentation shows them.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent

# Benchmark, neurons, peer, runs. Brian2 compiles each run anew, so there are few.
CASES = [
    ("spark-lif", 512, "jax", 7),
    ("spark-lif", 2048, "jax", 7),
    ("spark-alif", 512, "jax", 7),
    ("spark-alif", 2048, "jax", 7),
    ("ab", None, "jax", 7),
    ("update-lif", 100_000, "brian2", 3),
    ("update-adex", 100_000, "brian2", 3),
    ("update-hh", 100_000, "brian2", 3),
    ("spark-lif", 128, "jax", 7),
    ("spark-lif", 1024, "jax", 7),
    ("spark-lif", 4096, "jax", 7),
    ("update-lif", 100_000, "nest", 3),
    ("update-adex", 10_000, "nest", 3),
    ("update-hh", 10_000, "nest", 3),
]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spark", default=str(REPOSITORY / "target/release/spark"), help="the program")
    parser.add_argument("--jax", metavar="PYTHON", help="a Python that has the Python Spark")
    parser.add_argument("--brian2", metavar="PYTHON", help="a Python that has Brian2")
    parser.add_argument("--nest", metavar="PYTHON", help="a Python that has NEST")
    parser.add_argument("--only", action="append", default=[], metavar="NAME[:N]", help="benchmarks to run; may be repeated")
    parser.add_argument("--rounds", type=int, default=3, help="how often both take their turn")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=REPOSITORY / "target/peers", metavar="FOLDER")
    parser.add_argument("--sweeps", action="store_true", help="measure over rates and sizes as well")
    parser.add_argument("--update", action="store_true", help="rewrite the tables of benches/README.md and the pictures in docs/img")
    return parser.parse_args()


def output_of(command):
    """Standard output of a command; what it says beside goes through."""
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True).stdout


def last_json(text):
    """The last line of JSON."""
    lines = [line.removeprefix("JSON ") for line in text.splitlines() if line.startswith(("{", "JSON {"))]
    return json.loads(lines[-1])


def turns(args, name, neurons, peer, runs):
    """Runs a benchmark and its peer in turns; lines of both."""
    of_network = [name] + ([neurons] if neurons else [])
    model = args.output / f"{name}-{neurons or 'all'}.scfg"
    words = output_of([args.spark, "bench", *of_network, "--write", model]).split()
    steps = int(words[words.index("--steps") + 1])
    registered = [word for at, word in enumerate(words) if at and words[at - 1] == "--register"]
    if peer == "jax":
        command = [args.jax, HERE / "spark_jax.py", model, "--benchmark", name]
        command += [part for neuron in registered for part in ("--register", neuron)]
    else:
        currents = model.with_suffix(".safetensors")
        python, script = (args.brian2, "brian2_update.py") if peer == "brian2" else (args.nest, "nest_update.py")
        command = [python, HERE / script, name.removeprefix("update-"), "--inputs", currents]
    lines = []
    for _ in range(args.rounds):
        for turn in (command, [args.spark, "bench", *of_network, "--json"]):
            line = last_json(output_of([*turn, "--steps", steps, "--runs", runs]))
            line["load"] = round(os.getloadavg()[0], 2)
            lines.append(line)
            print(f"  {line['peer']}: {line['sim_s'] / steps * 1e3:.4g} ms, {line['mean_rate_hz']:.1f} Hz", file=sys.stderr)
    return lines


def median(lines, value):
    return statistics.median(value(line) for line in lines)


def row(lines):
    """A row of the table: medians over the turns, of wall time and, for one core's worth, of CPU time."""
    ours = [line for line in lines if line["peer"].startswith("spark ")]
    peers = [line for line in lines if not line["peer"].startswith("spark ")]
    wall = lambda line: line["sim_s"] / line["steps"] * 1e3
    cpu = lambda line: line["cpu_s"] / line["steps"] * 1e3
    rate = lambda line: line["mean_rate_hz"]
    unit, scale = ("ns/neuron", 1e6 / ours[0]["N"]) if ours[0]["benchmark"].startswith("update-") else ("ms", 1)
    cells = [
        f"`{ours[0]['benchmark']}`",
        f"{ours[0]['N']:,}".replace(",", " "),
        peers[0]["peer"],
        f"{median(peers, rate):.1f} / {median(ours, rate):.1f}",
        f"{median(peers, wall) * scale:.3g} ({median(peers, cpu) * scale:.3g}) {unit}",
        f"{median(ours, wall) * scale:.3g} ({median(ours, cpu) * scale:.3g}) {unit}",
        f"{median(peers, wall) / median(ours, wall):.1f}×",
        f"{median(peers, cpu) / median(ours, cpu):.1f}×",
    ]
    return "| " + " | ".join(cells) + " |"


def machine():
    """The processor's name and number of cores."""
    try:
        with open("/proc/cpuinfo") as file:
            name = re.search(r"model name\s*: (.*)", file.read()).group(1)
    except (OSError, AttributeError):
        name = "unknown processor"
    return f"{name}, {os.cpu_count()} cores"


def replace(path, name, text):
    """Puts text between the marks of this name in a Markdown file."""
    content = path.read_text()
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if begin not in content or end not in content:
        sys.exit(f"{path} has no marks `{begin}` and `{end}`")
    before, after = content.split(begin)[0], content.split(end)[1]
    path.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}")


def sweeps(args):
    """Measures over sizes and rates; tables by name."""
    tables = {}
    for axis in ("neurons", "rate"):
        print(f"spark-lif over {axis}", file=sys.stderr)
        command = [args.spark, "bench", "spark-lif", "--sweep", axis, "-o", args.output]
        if axis == "neurons" and (args.output / "peers.jsonl").exists():
            command += ["--peers", args.output / "peers.jsonl"]
        tables[f"sweep-{axis}"] = f"{datetime.date.today()}, {machine()}.\n\n{output_of(command)}"
    return tables


def main():
    args = parse()
    args.output.mkdir(parents=True, exist_ok=True)
    python = {"jax": args.jax, "brian2": args.brian2, "nest": args.nest}
    wanted = lambda name, neurons: not args.only or name in args.only or f"{name}:{neurons}" in args.only
    rows, peers = [], []
    with open(args.output / "results.jsonl", "w") as results:
        for name, neurons, peer, runs in CASES:
            if not wanted(name, neurons) or not python[peer]:
                continue
            print(f"{name} {neurons or ''}", file=sys.stderr)
            lines = turns(args, name, neurons, peer, runs)
            results.writelines(json.dumps(line) + "\n" for line in lines)
            results.flush()
            rows.append(row(lines))
            of_peer = [line for line in lines if not line["peer"].startswith("spark ")]
            of_peer.sort(key=lambda line: line["ms_per_step"])
            peers.append(of_peer[len(of_peer) // 2])
    if peers:
        (args.output / "peers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in peers))
    table = f"""{datetime.date.today()}, {machine()}. Medians of {args.rounds} turns; wall time of a step, CPU time in parentheses.

| benchmark | neurons | peer | rate, peer / Spark, Hz | peer | Spark, one core | ratio, wall | ratio, CPU |
|---|---:|---|---:|---:|---:|---:|---:|
""" + "\n".join(rows)
    tables = {"peers": table} if rows else {}
    if args.sweeps:
        tables.update(sweeps(args))
    for name, text in tables.items():
        (args.output / f"{name}.md").write_text(text.strip() + "\n")
        print(f"\n{text.strip()}")
    if args.update:
        for name, text in tables.items():
            target = "benches/README.md" if name == "peers" else "docs/performance.md"
            replace(REPOSITORY / target, name, text)
        for picture in args.output.glob("spark-*.svg") if args.sweeps else []:
            shutil.copy(picture, REPOSITORY / "docs/img" / picture.name)


if __name__ == "__main__":
    main()
