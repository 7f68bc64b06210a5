"""Compare the speed of this build with an earlier one: `make bench BEFORE=../before`, a worktree of its commit.

Both are measured by turns, each time in a process of its own. This module imports little, since what it holds counts as
memory of the processes it starts.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import linear_regression, median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("measures.py")
LARGE = "large: "  # what the names of long measures begin with
BUILDS = ("ours", "baseline")
GRAPHS = re.compile(r"(\d+ epochs of an IR predictor, paper), (\d+) graphs")
LINE = ("{name}: {ours_s:.3g} s, before {baseline_s:.3g} s, {ratio:.2f} times faster ({least:.2f} to {most:.2f}); "
        "CPU {ours_cpu_s:.3g} s, before {baseline_cpu_s:.3g} s, {cpu_ratio:.2f} times; "
        "peak {ours_peak_mb:.0f} MB, before {baseline_peak_mb:.0f} MB")  # fmt: skip


def answer(folder: Path, *arguments: str) -> Any:
    """Return what the script says when it imports the build in a folder."""
    command = [sys.executable, "-P", str(SCRIPT), *arguments]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{folder}: {' '.join(arguments)}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def summary(name: str, pairs: Sequence[tuple[dict[str, float], dict[str, float]]]) -> dict[str, Any]:
    """Return the least seconds of (ours, before), the median of the pairs' ratios, and median peaks of memory."""
    result: dict[str, Any] = {"name": name}
    for build, measured in zip(BUILDS, zip(*pairs, strict=True), strict=True):
        result[f"{build}_s"] = min(each["wall_s"] for each in measured)
        result[f"{build}_cpu_s"] = min(each["cpu_s"] for each in measured)
        result[f"{build}_peak_mb"] = median(each["peak_mb"] for each in measured)
    for ratio, key in (("ratio", "wall_s"), ("cpu_ratio", "cpu_s")):
        result[f"{ratio}s"] = [before[key] / ours[key] for ours, before in pairs]
        result[ratio] = median(result[f"{ratio}s"])
    return result


def line(result: dict[str, Any]) -> str:
    """Return what is printed of a summary; the ratios of single pairs show the noise."""
    return LINE.format(**result, least=min(result["ratios"]), most=max(result["ratios"]))


def slopes(results: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Fit CPU seconds by the number of graphs: an entry in seconds per 1,000 graphs, with the seconds of no graph."""
    sizes = [(int(match[2]) / 1000, result) for result in results if (match := GRAPHS.fullmatch(result["name"]))]
    if len(sizes) < 3:
        return None
    entry: dict[str, Any] = {"name": "per 1000 more graphs of an IR predictor's epochs, CPU"}
    for build in BUILDS:
        fit = linear_regression([size for size, _ in sizes], [result[f"{build}_cpu_s"] for _, result in sizes])
        entry |= {f"{build}_s": fit.slope, f"{build}_at_none_s": fit.intercept}
    return entry | {"ratio": entry["baseline_s"] / entry["ours_s"]}


def main() -> None:
    """Measure both builds, print a line for each measure, and write them."""
    parser = argparse.ArgumentParser("tests.benchmarks.before", description=__doc__)
    parser.add_argument("before", type=Path, metavar="FOLDER", help="a checkout of the earlier build")
    parser.add_argument("--only", default="", metavar="REGEX", help="measures whose name has a match")
    parser.add_argument("--repeats", type=int, default=3, help="pairs of each measure (default: 3)")
    parser.add_argument("--large", action="store_true", help="also 50,000 graphs")
    parser.add_argument("--out", type=Path, default=Path("artifacts/benchmarks.json"))
    options = parser.parse_args()
    before = options.before.resolve()
    if not (before / "autobuild_lib" / "__init__.py").is_file():
        parser.error(f"{options.before} has no autobuild_lib; give a worktree: git worktree add ../before COMMIT")
    known = [name for name in answer(ROOT) if options.large or not name.startswith(LARGE)]
    names = [name for name in known if re.search(options.only, name)]
    if not names:
        parser.error(f"--only {options.only} is in none of: {'; '.join(known)}")
    results = []
    for name in names:
        pairs = [(answer(ROOT, name), answer(before, name)) for _ in range(options.repeats)]
        results.append(summary(name, pairs))
        print(line(results[-1]), flush=True)
    if fit := slopes(results):
        results.append(fit)
        print("{name}: {ours_s:.3g} s, before {baseline_s:.3g} s, {ratio:.2f} times faster".format(**fit))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
