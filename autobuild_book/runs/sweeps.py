"""Sweeps: one notebook with every combination of some parameters, each run in a folder of its own.

This module only says which runs there are; Snakemake runs them (notebooks/Snakefile).
"""

import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autobuild_book.bundled import read_header
from autobuild_book.lines import brief
from autobuild_book.runs.metrics import PLAN, as_cell, read_plan
from autobuild_book.runs.recording import PROFILES, check_seed, read_literals
from autobuild_lib import data
from autobuild_lib.data.files import FLOPS, NOISE_FREE, bundled_space, manifest
from autobuild_lib.data.table import ARCHITECTURE
from autobuild_lib.networks import has_networks
from autobuild_lib.spaces import SequenceSpace, read_space
from autobuild_lib.storage import parse_json, read_json, replace_json
from autobuild_lib.targets import QUOTED, Target, quoted
from autobuild_lib.values import shown

MOST_RUNS = 10_000
OF_THE_SWEEP = ("profile", "out")  # parameters that a sweep gives itself
TARGETS = ("target", "targets")
KINDS = {int: "whole numbers", float: "numbers", bool: "true and false", str: "texts"}


@dataclass(frozen=True)
class Sweep:
    """Runs of one notebook: for each, by its name, the parameters that it is given beside those of the profile."""

    notebook: str
    profile: str
    out: Path
    runs: Mapping[str, Mapping[str, Any]]

    def write(self) -> Path:
        """Write what the sweep is beside its runs, those that were planned there before included; return the path."""
        self.out.mkdir(parents=True, exist_ok=True)
        before = read_plan(path)["runs"] if (path := self.out / PLAN).is_file() else {}
        runs = {**before, **self.runs}
        replace_json(path, {"notebook": self.notebook, "profile": self.profile, "runs": runs})
        return path

    def labels(self) -> dict[str, str]:
        """Name each run by those of its parameters in which the runs differ; the only one by all."""
        names = list(next(iter(self.runs.values())))
        values = {name: {json.dumps(run[name]) for run in self.runs.values()} for name in names}
        shown = [name for name in names if len(values[name]) > 1] or names
        return {
            run: ", ".join(f"{name} {brief(str(as_cell(parameters[name])))}" for name in shown)
            for run, parameters in self.runs.items()
        }


def plan_sweep(
    notebook: str, settings: Sequence[str], profile: str = "standard", out: Path | None = None,
    folder: Path = Path("notebooks"),
) -> Sweep:  # fmt: skip
    """Plan a run for every combination of parameters.

    Args:
        notebook: name of a notebook, such as "01_predictor_srcc".
        settings: texts NAME=VALUES. Commas separate values, and `0..9` are the whole numbers from 0 to 9; a value with
            brackets is one value, commas included, and so is what stands in backquotes. The values of a name that is
            given again are added. A parameter that is a list takes lists in JSON; anything else is one element, and
            then its name may be in the singular.
        profile: where all other parameters come from.
        out: folder of the runs (default: artifacts/sweeps/NOTEBOOK-PROFILE).
        folder: of the notebooks.

    Raises:
        ValueError: for an unknown notebook, profile or parameter, for values of another type than the notebook's, for
            numbers below the least one, for targets over labels that the data are known not to have, for data of no
            known name, for files that are not there or not read, and for a folder that holds a sweep of another
            notebook or profile.
    """
    if profile not in PROFILES:
        raise ValueError(f"profile {profile!r}; choose from {', '.join(PROFILES)}")
    defaults = {k: v for k, v in read_parameters(folder, notebook).items() if k not in OF_THE_SWEEP}
    values: dict[str, dict[str, Any]] = {}  # parameter -> canonical text -> value
    for setting in settings:
        name, chosen = _read_setting(setting, notebook, defaults)
        values.setdefault(name, {}).update({json.dumps(value): value for value in chosen})
    if (size := math.prod(map(len, values.values()))) > MOST_RUNS:
        raise ValueError(f"{size:,} combinations; a sweep has at most {MOST_RUNS:,} runs")
    names = [name for name in defaults if name in values]
    combinations = itertools.product(*(values[name].values() for name in names))
    runs = _with_labels([dict(zip(names, combination, strict=True)) for combination in combinations], defaults)
    place = out or Path("artifacts") / "sweeps" / f"{notebook}-{profile}"
    _check_place(place, notebook, profile)
    return Sweep(notebook, profile, place, {run_name(profile, parameters): parameters for parameters in runs})


def _check_place(out: Path, notebook: str, profile: str) -> None:
    """Refuse a folder with a sweep of another notebook or profile."""
    if not (path := out / PLAN).is_file():
        return
    before = read_plan(path)
    if (before["notebook"], before["profile"]) != (notebook, profile):
        holds = f"{brief(before['notebook'])} ({brief(before['profile'])} profile)"
        raise ValueError(f"--out {out} holds a sweep of {holds}; give another folder")


def run_name(profile: str, parameters: Mapping[str, Any]) -> str:
    """Return a name that is the same for the same parameters, and fit for a folder: a readable part and 8 digits."""
    digest = hashlib.sha256(json.dumps([profile, parameters], sort_keys=True).encode()).hexdigest()[:8]
    texts = [value if isinstance(value, str) else json.dumps(value) for value in parameters.values()]
    parts = [f"{name}-{_slug(text)}" for name, text in zip(parameters, texts, strict=True)]
    return f"{'_'.join(parts)[:80]}-{digest}"


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.")[:30]


def read_parameters(folder: Path, notebook: str) -> dict[str, Any]:
    """Return what the parameters cell of a notebook holds; an unknown notebook is a `ValueError` that lists all."""
    notebooks = {path.stem: path for path in sorted(folder.glob("[0-9]*.ipynb"))}
    if not notebooks:
        raise ValueError(f"no notebooks in {folder.absolute()}: run this in the root of a clone")
    if notebook not in notebooks:
        raise ValueError(f"notebook {notebook!r}; choose from {', '.join(notebooks)}")
    cells = read_json(notebooks[notebook], "a notebook")["cells"]
    (first,) = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", ())]
    return read_literals("".join(first["source"]))


# -------------------------------------------------------------------- targets


def _with_labels(runs: Iterable[Mapping[str, Any]], defaults: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return runs in which targets that are the name of a label, such as "val score", are equations.

    Targets over labels that the data of a run do not have, where that is known, are refused.
    """
    checked = []
    usual = {label for target in _targets(defaults) for label in target.labels}
    labels: dict[tuple[str, str], set[str]] = {}  # of data in a space
    for parameters in runs:
        source, space = (parameters.get(name, defaults.get(name, "")) for name in ("data", "space"))
        if (source, space) not in labels:
            labels[source, space] = _labels(source, space, usual)
        there = labels[source, space]
        checked.append({name: _equations(value, there) if name in TARGETS else value
                        for name, value in parameters.items()})  # fmt: skip
        for target in _targets(checked[-1]):
            if there and (missing := sorted(set(target.labels) - there)):
                has = f"{source} has {', '.join(map(quoted, sorted(there)))}"
                raise ValueError(f"--set target={brief(str(target))}: there is no label {', '.join(missing)}; {has}")
            target.check_meaning(there)
    return checked


def _equations(target: Any, labels: set[str]) -> Any:
    if isinstance(target, list):
        return [_equations(each, labels) for each in target]
    with suppress(ValueError):
        Target(target)
        return target
    return quoted(target.strip()) if target.strip() in labels else target


def _targets(values: Mapping[str, Any]) -> list[Target]:
    texts = [values.get(name, []) for name in TARGETS]
    return [Target(text) for some in texts for text in ([some] if isinstance(some, str) else some)]


def _labels(source: str, space: str, usual: set[str]) -> set[str]:
    """Return the labels of a run's data, {} where they are not known.

    The bundled data of a notebook are the tables that have the labels of its `usual` targets.
    """
    bundled = {name: _columns(entry.columns, bundled_space(entry)) for name, entry in manifest().items()}
    if source == "bundled":
        return set().union(*(columns for columns in bundled.values() if usual <= columns))
    if source.endswith((".csv", ".pkl")) and not Path(source).is_file():
        raise ValueError(f"--set data={brief(source)}: there is no such file")
    names = {"", *bundled, *(f"released:{name}" for name in data.RELEASED), *data.benchmarks()}
    if not source.endswith((".csv", ".pkl")) and {source, source.partition(":")[0]}.isdisjoint(names):
        allowed = ", ".join(["bundled", *sorted(names - {""})])
        raise ValueError(f"--set data={brief(source)}: no such data; give {allowed}, or a .csv or .pkl file")
    if source.endswith(".csv"):
        return _columns(read_header(Path(source)), read_space(space) if space else None)
    return bundled.get(source, set())


def _columns(names: Iterable[str], space: SequenceSpace | None) -> set[str]:
    labels = {name for name in names if name != ARCHITECTURE and not name.endswith(NOISE_FREE)}
    return labels | {FLOPS} if space is not None and has_networks(space) else labels


# -------------------------------------------------------------------- NAME=VALUES


def _read_setting(setting: str, notebook: str, defaults: Mapping[str, Any]) -> tuple[str, list[Any]]:
    name, equals, text = setting.partition("=")
    if not equals:
        raise ValueError(f"--set {brief(setting)}: needs NAME=VALUES, for example seed=0..9")
    if name not in defaults and isinstance(defaults.get(f"{name}s"), list):
        name = f"{name}s"
    if name in OF_THE_SWEEP:
        raise ValueError(f"--set {brief(setting)}: give --{name} instead, once for all runs")
    if name not in defaults:
        has = f"it has {', '.join(defaults)}"
        raise ValueError(f"--set {brief(setting)}: {notebook} has no parameter {shown(name)}; {has}")
    default = defaults[name]
    kind = type(default[0] if isinstance(default, list) else default)
    try:
        elements = [value for part in _parts(text) for value in _read(part, kind, isinstance(default, list))]
        for value in elements:
            check_seed(value) if name == "seed" else _check_size(value, default)
    except ValueError as error:
        needs = f"{name} takes {'lists of ' if isinstance(default, list) else ''}{KINDS[kind]}, such as {default!r}"
        raise ValueError(f"--set {brief(setting)}: {error}; {needs}") from None
    return name, elements


def _check_size(value: Any, default: Any) -> None:
    """Refuse whole numbers below 1, or below 0 where the notebook's own is 0: they count something."""
    own = default if isinstance(default, list) else [default]
    numbers = [each for each in (value if isinstance(value, list) else [value]) if type(each) is int]
    least = min(1, *(each for each in own if type(each) is int), 1)
    if numbers and min(numbers) < least:
        raise ValueError(f"{min(numbers)} is less than {least}")


def _parts(text: str) -> list[str]:
    """Split at commas outside backquotes, unless there are brackets outside them."""
    plain = QUOTED.sub(lambda match: "_" * len(match[0]), text)
    if set(plain) & set("([{"):
        return [text.strip()]
    ends = [-1, *(place for place, letter in enumerate(plain) if letter == ","), len(text)]
    return [text[start + 1 : end].strip() for start, end in itertools.pairwise(ends)]


def _read(text: str, kind: type, is_list: bool) -> Iterator[Any]:
    if is_list and text.startswith("["):
        elements = parse_json(text)
        if any(type(value) is not kind for value in elements):
            raise ValueError(f"{brief(text)} has elements of another type")
        yield elements
    elif kind is int and (ends := re.fullmatch(r"(-?\d{1,18})\.\.(-?\d{1,18})", text)):
        first, last = map(int, ends.groups())
        if not first <= last < first + MOST_RUNS:
            raise ValueError(f"{brief(text)} must rise, by less than {MOST_RUNS:,}")
        yield from ([value] if is_list else value for value in range(first, last + 1))
    else:
        yield [_read_one(text, kind)] if is_list else _read_one(text, kind)


def _read_one(text: str, kind: type) -> Any:
    """Read a value of a kind; the types of JSON, and anything as a text."""
    if kind is str:
        return text
    try:
        value = parse_json(text)
    except ValueError:
        value = None
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"{shown(text)} is not one")
    return value
