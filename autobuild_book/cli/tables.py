"""The commands `autobuild data ...`."""

import argparse
from pathlib import Path

from autobuild_book.arguments import add_folder, whole
from autobuild_book.benchmark_files import HERE, fault, is_damaged
from autobuild_book.bundled import check_bundled
from autobuild_book.downloads import fetch
from autobuild_book.measured import distillation
from autobuild_book.measured.tables import join_manifest
from autobuild_book.measured.teachers import published, published_file
from autobuild_lib import data, surrogate
from autobuild_lib.data import files
from autobuild_lib.data.published import remedy
from autobuild_lib.released import caches
from autobuild_lib.released.checksums import read_checksums

CHECKPOINTS = (
    "https://raw.githubusercontent.com/Ascend-Research/AutoBuild/a2675b9a9d2d6396f477272f882739863f4b7d9c/l1_models"
)


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild data`."""
    actions = parser.add_subparsers(required=True, metavar="action")
    for name, run, text in (
        ("list", _data_list, "bundled tables, released caches and benchmarks"),
        ("verify", _data_verify, "check the bundled files, and those of benchmarks that are here"),
    ):
        actions.add_parser(name, help=text).set_defaults(run=run)
    download = actions.add_parser("fetch", help="download released caches, published checkpoints, or a benchmark")
    names = ["released", "checkpoints", *caches.RELEASED, *_downloaded()]
    download.add_argument("what", choices=names, help="all caches or one of them, the checkpoints, or a benchmark")
    text = "where to put them (default: $AUTOBUILD_DATA or ~/.cache/autobuild)"
    download.add_argument("--folder", type=Path, help=text)
    download.set_defaults(run=_data_fetch)
    build = actions.add_parser("build", help="make the bundled tables from the bundled surrogates")
    add_folder(build)
    build.add_argument("--seed", type=whole(0), default=0, help="of the sample and the noise (default: 0)")
    build.set_defaults(run=_data_build)


def _data_list(_: argparse.Namespace) -> None:
    for entry in data.manifest().values():
        print(f"{entry.name:<28} {entry.kind:<10} {entry.rows:>6,} rows  {', '.join(entry.columns)}")
    for name, file in caches.RELEASED.items():
        print(f"{'released:' + name:<28} {'released':<10} {_released_state(name, caches.data_folder() / file)}")
    for name, benchmark in data.benchmarks().items():
        for part, table in benchmark.tables.items():
            source = f"{name}:{part}".rstrip(":")
            print(f"{source:<28} {'benchmark':<10} {table['rows']:>6,} rows  {_state(name, table['files'])}")


def _released_state(name: str, path: Path) -> str:
    """Say whether a released cache is here; one whose checksum nobody recorded is taken as it is."""
    if not path.is_file():
        return f"not here: run `autobuild data fetch {name}`"
    if is_damaged(path, read_checksums(path.parent).get(path.name)):
        return f"damaged, {path.name}: run `autobuild data fetch {name}`"
    return HERE


def _state(name: str, files: list[str]) -> str:
    try:
        return fault(name, files) or HERE
    except (ModuleNotFoundError, data.DataError):
        return "not here: pip install 'autobuild-book[benchmarks]'"


def _present(name: str) -> dict[str, Path]:
    """Return the files of a benchmark that are here, by name; none without the package that brings them."""
    try:
        paths = {file: data.find_benchmark(name, file) for file in data.benchmarks()[name].files}
    except (ModuleNotFoundError, data.DataError):
        return {}
    return {file: path for file, path in paths.items() if path.is_file()}


def _data_verify(_: argparse.Namespace) -> None:
    for entry in data.manifest().values():
        check_bundled(entry)
        print(f"{entry.name}: {entry.file} is as its manifest says")
    for family in surrogate.SPACES:
        surrogate.load_bundled(family)
        print(f"surrogate of {family} is as its card says")
    for name, benchmark in data.benchmarks().items():
        here = _present(name)
        for file, path in here.items():
            files.checked_bytes(path, benchmark.files[file]["sha256"], remedy(name))
        if here:
            print(f"{name}: {len(here)} of {len(benchmark.files)} files are here, as they were published")


def _data_fetch(arguments: argparse.Namespace) -> None:
    folder = arguments.folder or caches.data_folder()
    if arguments.what == "checkpoints":
        _fetch_checkpoints(folder)
        return
    if arguments.what in _downloaded():
        _fetch_benchmark(arguments.what, folder)
        return
    for name in caches.RELEASED if arguments.what == "released" else (arguments.what,):
        print(fetch(caches.RELEASED[name], folder, f"{caches.DATA_SET}/{caches.RELEASED[name]}"))


def _fetch_checkpoints(folder: Path) -> None:
    for family, labels in published().items():
        for label in surrogate.LABELS:
            name = published_file(family, label)
            print(fetch(name, folder, f"{CHECKPOINTS}/{name}", known_sha256=labels[label]["sha256"]))


def _downloaded() -> list[str]:
    """Return the benchmarks that no package brings."""
    return [name for name, benchmark in data.benchmarks().items() if not benchmark.package]


def _fetch_benchmark(name: str, folder: Path) -> None:
    benchmark = data.benchmarks()[name]
    for file, entry in benchmark.files.items():
        print(fetch(file, folder / name, f"{benchmark.address}{entry['path']}", known_sha256=entry["sha256"]))


def _data_build(arguments: argparse.Namespace) -> None:
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for family in surrogate.SPACES:
        entry = distillation.build_table(family, arguments.folder, seed=arguments.seed)
        print(join_manifest(arguments.folder, family, entry))
