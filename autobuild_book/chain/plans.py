"""Plans: which notebooks run into which folders, with which parameters. notebooks/Snakefile reads it, too."""

import hashlib
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from autobuild_lib.extras import extra
from autobuild_lib.storage import read_json

with extra("book"):
    import yaml

NOTEBOOKS = Path("notebooks")
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ /-]*|/[A-Za-z0-9._ /-]+")
LINKS = Path(".snakemake") / "folders"

Plan = Mapping[str, Mapping[str, Mapping[str, Any]]]  # for each folder, for each notebook, its parameters


class Job(NamedTuple):
    """A notebook that runs into a folder: where it lies while it runs, and what is there when it has run."""

    folder: Path
    notebook: str

    @property
    def executed(self) -> Path:
        """The notebook, when all its cells have run."""
        return self.folder / f"{self.notebook}.ipynb"

    @property
    def metrics(self) -> Path:
        """What the last cells of the notebook write."""
        return self.folder / self.notebook / "metrics.json"

    @property
    def running(self) -> Path:
        """The notebook while it runs, and for good if a cell raises an error."""
        return self.folder / "failed" / f"{self.notebook}.ipynb"

    @property
    def log(self) -> Path:
        """What papermill wrote, for as long as `running` is there."""
        return self.running.with_suffix(".txt")

    @property
    def lock(self) -> Path:
        """Held by the process that runs the notebook."""
        return self.running.with_suffix(".lock")

    @property
    def aside(self) -> Path:
        """A folder for the finished run while another one runs in its place."""
        return self.running.with_suffix(".before")

    @property
    def is_finished(self) -> bool:
        """Whether the notebook has run to its end."""
        return self.executed.exists() and self.metrics.exists()


def jobs(plan: Plan) -> list[Job]:
    """Return all jobs of a plan."""
    return [Job(Path(folder), notebook) for folder, notebooks in plan.items() for notebook in notebooks]


def chain_plan(profile: str, settings: Mapping[str, Any], folder: Path = NOTEBOOKS) -> Plan:
    """Return the plan of all notebooks, with the parameters of a profile.

    Args:
        profile: name of a file in `folder`/profiles.
        settings: values for parameters that all notebooks share: `seed`, `data`, `space`, `out`.
        folder: of the notebooks.

    Raises:
        ValueError: for an unknown profile, an unknown setting, or one of another type than the profile's.
    """
    common, sections = read_profile(profile, folder)
    if unknown := sorted(set(settings) - set(common) | {"profile"} & set(settings)):
        allowed = [name for name in common if name != "profile"]
        raise ValueError(f"{', '.join(unknown)}: unknown; give any of profile, {', '.join(allowed)}")
    for name, value in settings.items():
        _check(name, value, common[name])
    common |= settings
    check_out(common["out"])
    return {common["out"]: {name: {**common, **section} for name, section in sections.items()}}


def only(plan: Plan, names: Collection[str]) -> Plan:
    """Return what of a plan is about some notebooks; a name that is not in the plan is a `ValueError`."""
    for folder, notebooks in plan.items():
        if unknown := sorted(set(names) - set(notebooks)):
            raise ValueError(f"no notebook {', '.join(unknown)} in {folder}; choose from {', '.join(notebooks)}")
    return {folder: {name: notebooks[name] for name in sorted(set(names))} for folder, notebooks in plan.items()}


def sweep_plan(
    notebook: str, profile: str, runs: Mapping[str, Mapping[str, Any]], out: Path, folder: Path = NOTEBOOKS
) -> Plan:
    """Return the plan of one notebook that runs into many folders in `out`: `runs` has the parameters of each."""
    check_out(str(out))
    common, sections = read_profile(profile, folder)
    usual = {**common, **sections[notebook]}
    return {str(out / name): {notebook: {**usual, **run, "out": str(out / name)}} for name, run in runs.items()}


def read_profile(name: str, folder: Path = NOTEBOOKS) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the parameters that all notebooks of a profile share, and for each notebook its own."""
    path = folder / "profiles" / f"{name}.yml"
    if not path.parent.is_dir():
        raise ValueError(f"no notebooks in {folder.absolute()}: run this in the root of a clone")
    if not re.fullmatch(r"\w+", str(name)) or not path.is_file():
        profiles = sorted(other.stem for other in path.parent.glob("*.yml"))
        raise ValueError(f"profile {name!r}; choose from {', '.join(profiles)}")
    sections = yaml.safe_load(path.read_text(encoding="utf-8"))
    common = {"profile": name, "out": f"artifacts/{name}", **sections.pop("common")}
    notebooks = sorted(other.stem for other in folder.glob("[0-9]*.ipynb"))
    if unknown := sorted(set(sections) - set(notebooks)):
        raise ValueError(f"{path}: no notebook {', '.join(unknown)}")
    return common, {notebook: sections.get(notebook) or {} for notebook in notebooks}


def read_table(folder: Path = NOTEBOOKS) -> Mapping[str, Mapping[str, float]]:
    """Return for each notebook the cores that it takes, and the seconds that it takes in each profile."""
    table: Mapping[str, Mapping[str, float]] = yaml.safe_load((folder / "notebooks.yml").read_text(encoding="utf-8"))
    return table


def from_config(config: Mapping[str, Any]) -> Plan:
    """Return the plan that Snakemake's `--config` asks for: a file (`plan`), or the chain with some common parameters.

    Snakemake makes None of nothing, and of a text that looks like a number a number: the first is "" here, the second
    is refused, for its digits may have changed on the way.
    """
    if "plan" in config:
        return read_plan(Path(config["plan"]))
    settings = {name: "" if value is None else value for name, value in config.items() if name != "profile"}
    return chain_plan(config.get("profile", "standard"), settings)


def read_plan(path: Path) -> Plan:
    """Read a plan that `write_plan` wrote."""
    return read_json(path, "the plan of a chain or sweep")


def write_plan(plan: Plan, folder: Path) -> Path:
    """Write a plan into a folder, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    partial, path = folder / f"plan.json.{os.getpid()}", folder / "plan.json"
    partial.write_text(json.dumps(plan), encoding="utf-8")
    return partial.replace(path)


def check_out(out: str) -> None:
    """Refuse a folder without a name, and one whose name cannot be shown in a line or stored in a notebook."""
    if not out.strip():
        raise ValueError("out is empty; give a folder")
    if not out.isprintable():
        raise ValueError(f"out is {out!r}: allowed are characters that can be printed")


def plain_name(path: str | Path) -> str:
    """Return a name of a path that Snakemake takes literally: the path, or a link to it in .snakemake/folders.

    A link leads to something: where there is nothing yet, to a new folder.

    Snakemake reads braces as wildcards, and has trouble with quotes, backslashes and other letters than ASCII ones.
    """
    name = os.path.normpath(path)
    if PLAIN.fullmatch(name):
        return name
    target = Path(name).absolute()
    if not target.exists():
        target.mkdir(parents=True, exist_ok=True)
    link = LINKS / hashlib.sha256(str(target).encode()).hexdigest()[:16]
    if not link.is_symlink():
        LINKS.mkdir(parents=True, exist_ok=True)
        partial = link.with_name(f"{link.name}.{os.getpid()}")
        partial.symlink_to(target)
        partial.replace(link)
    return str(link)


def data_files(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yield plain names of the files of the user that a notebook reads."""
    for name in ("data", "space"):
        if Path(str(parameters[name])).is_file():
            yield plain_name(str(parameters[name]))


def _check(name: str, value: Any, default: Any) -> None:
    if type(value) is type(default):
        return
    kind = type(default).__name__
    remedy = f"a path that looks like something else starts with ./, as in {name}=./7" if kind == "str" else "give one"
    raise ValueError(f"{name}={value!r} is of type {type(value).__name__}, not {kind}; {remedy}")
