"""A measured table as it is bundled: a CSV file, what belongs to it beside it, and its entry in the manifest."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_lib.data.table import ARCHITECTURE
from autobuild_lib.released.checksums import sha256_of
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.storage import json_text, replace_bytes, replace_text


def write_measured(
    folder: Path,
    name: str,
    table: pd.DataFrame,
    *,
    space: SequenceSpace | str,
    units: Mapping[str, str],
    source: str,
    builder: str,
    seed: int,
    beside: Mapping[str, str | bytes] | None = None,
) -> dict[str, Any]:
    """Write a table and what belongs to it into `folder`; return its manifest entry.

    Args:
        folder: made if it is not there.
        name: of the table; its file is `<name>.csv`.
        table: a column `architecture` (text), and those of `units`; others are left out.
        space: the space, which is written beside the table as `<name>.json`, or the name of a family.
        units: the unit of each label.
        source: where the labels come from, in words.
        builder: the command that makes the table.
        seed: of the sample of architectures.
        beside: further files by name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files, described = dict(beside or {}), space
    if isinstance(space, SequenceSpace):
        described = f"{name}.json"
        files[described] = json_text(space.to_json()) + "\n"
    for file, content in files.items():
        replace_bytes(folder / file, content) if isinstance(content, bytes) else replace_text(folder / file, content)
    path = folder / f"{name}.csv"
    replace_text(path, table[[ARCHITECTURE, *units]].to_csv(index=False, lineterminator="\n"))
    return {
        "space": described,
        "file": path.name,
        "kind": "measured here",
        "rows": len(table),
        "columns": {ARCHITECTURE: "text form"} | dict(units),
        "source": source,
        "builder": builder,
        "seed": seed,
        "sha256": sha256_of(path),
        "beside": {file: sha256_of(folder / file) for file in files},
    }
