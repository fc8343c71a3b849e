"""The Python Spark, imported without its graph editor (which needs a display). Exits with code 3 where it is not installed."""

import os
import sys
import types

ABSENT = 3

os.environ.setdefault("JAX_PLATFORMS", "cpu")
for name in ("spark.graph_editor", "spark.graph_editor.editor"):
    sys.modules.setdefault(name, types.ModuleType(name))
sys.modules["spark.graph_editor.editor"].SparkGraphEditor = None

try:
    import spark
except (ImportError, SyntaxError) as error:
    print(f"the Python Spark is not installed here (spark-snn 1.0.0, Python 3.12 or newer): {error}", file=sys.stderr)
    sys.exit(ABSENT)
