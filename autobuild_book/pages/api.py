"""Pages of the API reference: what is public in the library, from its docstrings."""

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType

PACKAGE = "autobuild_lib"


@dataclass(frozen=True)
class ApiPage:
    """One page: its file name, title, and the modules it documents (all below a package for a name ending in ".*")."""

    name: str
    title: str
    modules: tuple[str, ...]


PAGES = (
    ApiPage("front", "The front door: `autobuild_lib`", ("autobuild_lib",)),
    ApiPage("spaces", "Spaces and targets", ("autobuild_lib.spaces", "autobuild_lib.targets")),
    ApiPage("data", "Tables of evaluated architectures", (
        "autobuild_lib.data", "autobuild_lib.surrogate",
    )),
    ApiPage("networks", "Networks and graphs", ("autobuild_lib.networks", "autobuild_lib.graphs")),
    ApiPage("learning", "Learning", (
        "autobuild_lib.losses", "autobuild_lib.engine.*", "autobuild_lib.predictor", "autobuild_lib.training",
        "autobuild_lib.evaluation", "autobuild_lib.loading", "autobuild_lib.ir_training", "autobuild_lib.statistics",
    )),
    ApiPage("modules", "Modules and reduced spaces", (
        "autobuild_lib.units.corpus", "autobuild_lib.units.effects", "autobuild_lib.units.reduced",
    )),
    ApiPage("search", "Search", ("autobuild_lib.search",)),
    ApiPage("chapters", "What several chapters compute", (
        "autobuild_book.dominance", "autobuild_book.chapters.shared.*", "autobuild_book.chapters.foundations.*",
    )),
    ApiPage("experiments", "What experiments 1 to 4 compute and draw", (
        "autobuild_book.chapters.ranking.*", "autobuild_book.chapters.operations.*",
        "autobuild_book.chapters.modules.*", "autobuild_book.chapters.regions.*",
    )),
    ApiPage("panoptic", "What experiment 5 computes and draws", ("autobuild_book.chapters.panoptic.*",)),
    ApiPage("diffusion", "What experiment 6 computes and draws", ("autobuild_book.chapters.diffusion.*",)),
    ApiPage("trained", "What the chapter on trained networks computes", ("autobuild_book.chapters.trained.*",)),
    ApiPage("others", "What the other chapters compute and draw", (
        "autobuild_book.chapters.board.*", "autobuild_book.chapters.machine.*", "autobuild_book.chapters.peers.*",
        "autobuild_book.chapters.your_space.*",
    )),
    ApiPage("neighbours_searches", "What the chapter on neighbours searches", (
        "autobuild_book.chapters.neighbours.darts.*", "autobuild_book.chapters.neighbours.grammars.*",
        "autobuild_book.chapters.neighbours.introspection.*", "autobuild_book.chapters.neighbours.stagewise.*",
    )),
    ApiPage("neighbours", "What the chapter on neighbours predicts and compares", (
        "autobuild_book.chapters.neighbours.*",
    )),
    ApiPage("companion", "Figures, measured rows, images and runs", (
        "autobuild_book.intervals", "autobuild_book.figures.*", "autobuild_book.measured.*",
        "autobuild_book.imagenet.*", "autobuild_book.runs.*",
    )),
)  # fmt: skip


def api_pages() -> dict[str, str]:
    """Return the text of every page by its name; a module or an object stands on the first page that has it."""
    written: set[int] = set()
    pages = {}
    for page in PAGES:
        modules = [module for name in page.modules for module in _modules(name) if id(module) not in written]
        written.update(map(id, modules))
        parts = [_module(module, written) for module in modules]
        pages[page.name] = f"# {page.title}\n\n" + "\n".join(parts)
    return pages


def _modules(name: str) -> list[ModuleType]:
    """Import a module, or (`package.*`) all modules of a package whose own packages are installed."""
    if not name.endswith(".*"):
        return [importlib.import_module(name)]
    package = importlib.import_module(name.removesuffix(".*"))
    modules = []
    for part in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        with suppress(ModuleNotFoundError):
            modules.append(importlib.import_module(part.name))
    return modules


def public(module: ModuleType) -> Mapping[str, object]:
    """Return the public classes and functions of a module by name: those of `__all__`, or those defined in it."""
    names = getattr(module, "__all__", None)
    members = {name: getattr(module, name) for name in names or sorted(vars(module)) if not name.startswith("_")}
    defined = {name: member for name, member in members.items() if names or _defined_in(member, module)}
    return {name: member for name, member in defined.items() if inspect.isclass(member) or inspect.isfunction(member)}


def _defined_in(member: object, module: ModuleType) -> bool:
    return getattr(member, "__module__", None) == module.__name__


def _module(module: ModuleType, written: set[int]) -> str:
    """Document what no page before has documented."""
    new = {name: member for name, member in public(module).items() if id(member) not in written}
    written.update(map(id, new.values()))
    lines = [f"## `{module.__name__}`", "", "```{eval-rst}", f".. automodule:: {module.__name__}", ""]
    if new:
        lines += [f".. currentmodule:: {module.__name__}", "", ".. autosummary::", "   :nosignatures:", ""]
        lines += [f"   {name}" for name in new]
    for name, member in new.items():
        kind = "autoclass" if inspect.isclass(member) else "autofunction"
        lines += ["", f".. {kind}:: {module.__name__}.{name}"]
        if inspect.isclass(member) and (described := documented(member)):
            lines.append(f"   :members: {', '.join(described)}")
    return "\n".join([*lines, "```", ""])


def documented(kind: type) -> list[str]:
    """Return the public methods and properties of a class that have docstrings, those of our own base classes too."""
    bases = [base for base in reversed(kind.__mro__) if base.__module__.startswith(PACKAGE)]
    names = dict.fromkeys(name for base in bases for name in vars(base) if not name.startswith("_"))
    members = {name: inspect.getattr_static(kind, name) for name in names}
    return [name for name, member in members.items() if _is_code(member) and inspect.getdoc(member)]


def _is_code(member: object) -> bool:
    kinds = (property, classmethod, staticmethod, functools.cached_property)
    return isinstance(member, kinds) or (inspect.isfunction(member) and member.__module__.startswith(PACKAGE))
