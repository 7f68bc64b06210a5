"""How the page of a chapter opens: with its idea, a paragraph, and the figure that its notebook tags `opening`."""

import base64
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from autobuild_book.pages.cells import FIGURE, Cell, glued_name, text_of

TAG = "opening"
TALL = 0.85  # height over width of figures that stand beside the text, where a screen is wide enough
OPENING = """```{{glue:figure}} {glued}
---
figclass: opening {shape}
alt: >-
  {alt}
---
```

{{numref}}`{label}` below is this picture with its caption."""


def with_opening(cells: Sequence[Cell]) -> list[Cell]:
    """Return cells of which the first shows, after its first paragraph, the figure that is tagged `opening`."""
    tagged = [cell for cell in cells if TAG in cell["metadata"].get("tags", [])]
    figure = FIGURE.search(text_of(tagged[0])) if tagged else None
    if figure is None:
        return list(cells)
    first, *blocks = text_of(cells[0]).split("\n\n")
    opening = _opening(figure[2], _options(figure[0]), _shape(cells, figure[2]))
    return [{**cells[0], "source": "\n\n".join([first, *blocks[:1], opening, *blocks[1:]])}, *cells[1:]]


def _opening(glued: str, options: Mapping[str, Any], shape: str) -> str:
    return OPENING.format(glued=glued, shape=shape, alt=" ".join(options["alt"].split()), label=options["name"])


def _options(directive: str) -> dict[str, Any]:
    """Return the options of a directive, which stand between two lines of dashes."""
    return dict(yaml.safe_load(directive.split("---\n")[1]))


def _shape(cells: Sequence[Cell], glued: str) -> str:
    """Say whether the picture that was glued under a name is wide or tall."""
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        picture = output.get("data", {}).get("image/png")
        if picture and glued_name(output) == glued:
            width, height = struct.unpack(">II", base64.b64decode("".join(picture))[16:24])
            return "tall" if height > TALL * width else "wide"
    return "wide"
