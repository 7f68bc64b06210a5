"""Scoring groups: units that are scored together, and their contents in the codes of architectures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autobuild_lib.spaces.codec import Codes, UnitCodec
from autobuild_lib.spaces.features import SpaceError

MOST_CONTENTS = 5_000_000  # that are enumerated: 100 bytes each, and 400 for effect scores in 16 hosts, are 2.5 GB


@dataclass(frozen=True, eq=False)
class ScoringGroup:
    """A unit and the tail units that follow it; `contents` [N, width] are their bytes in the codes of architectures."""

    space: str  # its name
    codecs: tuple[UnitCodec, ...]
    code_width: int  # of an architecture

    @property
    def units(self) -> tuple[int, ...]:
        """Their indices in the space."""
        return tuple(codec.number for codec in self.codecs)

    @property
    def width(self) -> int:
        """Number of bytes of a content."""
        return sum(codec.width for codec in self.codecs)

    @property
    def place(self) -> slice:
        """Where a content stands in the code of an architecture."""
        return slice(self.codecs[0].start, self.codecs[0].start + self.width)

    @property
    def lengths(self) -> range:
        """Numbers of layers that the units may have together."""
        depths = [codec.depths for codec in self.codecs]
        return range(sum(d[0] for d in depths), sum(d[-1] for d in depths) + 1)

    def count_contents(self) -> int:
        """Return how many contents there are; more than `MOST_CONTENTS` are a `SpaceError`, before any is made."""
        count = math.prod(codec.size for codec in self.codecs)
        if count > MOST_CONTENTS:
            numbers = ", ".join(map(str, self.units))
            name = f"units {numbers}, which are scored together, have" if len(self.units) > 1 else f"unit {numbers} has"
            size = f"{count:,}" if count < 1e30 else f"about 10^{math.log10(count):.0f}"
            most = f"at most {MOST_CONTENTS:,} are enumerated; split the unit into several shorter ones"
            raise SpaceError(f"space {self.space!r}: {name} {size} contents; {most}")
        return count

    def contents(self) -> Codes:
        """Return every content; later choices vary fastest. Too many (`count_contents`) are a `SpaceError`."""
        self.count_contents()
        contents = self.codecs[0].contents()
        for codec in self.codecs[1:]:
            tails = codec.contents()
            contents = np.hstack([np.repeat(contents, len(tails), axis=0), np.tile(tails, (len(contents), 1))])
        return contents

    def depths(self, contents: Codes) -> npt.NDArray[np.int64]:
        """Return the number of layers of each unit, [N, units]."""
        return contents[:, [codec.start - self.place.start for codec in self.codecs]].astype(np.int64)

    def texts(self, contents: Codes) -> list[str]:
        """Return the text of each content, such as "e6_k7,e3_k3"."""
        rows = [bytes(self.place.start) + content.tobytes() for content in contents]
        return ["|".join(codec.text(row[codec.place]) for codec in self.codecs) for row in rows]

    def parse(self, texts: Sequence[str]) -> Codes:
        """Read the texts of contents, [texts, width]."""
        rows, units = [], list(self.units)
        for text in texts:
            if len(parts := text.split("|")) != len(units):
                raise SpaceError(f"{self.space}: {text[:80]!r} has {len(parts)} parts, units {units} need {len(units)}")
            rows += [codec.parse(part) for codec, part in zip(self.codecs, parts, strict=True)]
        return np.frombuffer(b"".join(rows), np.uint8).reshape(len(texts), self.width)

    def put(self, hosts: Codes, contents: Codes) -> Codes:
        """Return hosts [N, code_width] with contents in this place, one each; [1, width] goes into all."""
        codes = hosts.copy()
        codes[:, self.place] = contents
        return codes

    def isolated(self, contents: Codes, head: bytes) -> Codes:
        """Return codes [N, code_width] in which only these units have layers; `head` codes the global features."""
        alone = np.zeros((len(contents), self.code_width), dtype=np.uint8)
        alone[:, : len(head)] = np.frombuffer(head, np.uint8)
        return self.put(alone, contents)
