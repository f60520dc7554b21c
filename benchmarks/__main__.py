"""Measure, print and store the benchmarks: ``python -m benchmarks``."""

import json
import os
import subprocess
import sys
from datetime import date

from utils.machine import machine, versions
from utils.settings import RECORDS, ROOT

HEAD = ["what", "threads", "NumPy, ms", "compared with", "its ms", "ratio", "middle half of the ratios"]


def described() -> dict[str, str | int | float]:
    """Describe where the numbers come from, and how busy it is, without naming the machine."""
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else "unknown"
    return {**machine(), "load before": load, **versions()}


def measure(threads: int) -> list[dict]:
    """Run the measurements in a process of its own that may use so many threads."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    environment = os.environ | dict.fromkeys(names, str(threads)) | {"KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-m", "benchmarks.measure"]
    result = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return [{"threads": threads, **row} for row in json.loads(result.stdout)]


def three_digits(value: float) -> str:
    """Format a positive number to three significant digits, without an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def line(row: dict) -> list[str]:
    """Return one row as the table shows it."""
    low, high = map(three_digits, row["quartiles"])
    cells = [row["what"], str(row["threads"]), three_digits(row["numpy_ms"]), row["other"]]
    return [*cells, three_digits(row["other_ms"]), three_digits(row["ratio"]), f"{low}–{high}"]


def main() -> None:
    """Measure with one thread and with all cores."""
    cores = os.cpu_count() or 1
    about = described()
    rows = [row for threads in sorted({1, cores}) for row in measure(threads)]
    record = {
        "date": date.today().isoformat(),
        "machine": about,
        "note": "Batches of 32 in float32. Ratio: the other's time over NumPy's, median of rounds timed in turn.",
        "head": HEAD,
        "table": [line(row) for row in rows],
        "rows": rows,
    }
    RECORDS.mkdir(exist_ok=True)
    path = RECORDS / "benchmarks.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    widths = [max(len(cells[i]) for cells in [HEAD, *record["table"]]) for i in range(len(HEAD))]
    for cells in [HEAD, *record["table"]]:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
    print(", ".join(f"{key} {value}" for key, value in record["machine"].items()))
    print(record["note"])


if __name__ == "__main__":
    main()
