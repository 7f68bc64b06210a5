"""Hostile contents of files and texts: valid ones spoilt in many ways, the same for the same seed."""

import json
import random
import re
from collections.abc import Callable
from typing import Any

PRIME = 2**61 - 1  # whole numbers that differ by it have one hash
NUMBERS = [0, -0.0, -1, 1.5, 10**9, 10**40, -(10**400), 2**31, 2**63, 5e-324, 1e308, float("nan"), float("inf")]
TEXTS = ["", " ", "é", "\u2028", "\ud800", "\x00", "\x1b[31m", "$x_$", "../../x", "/etc/passwd", "a" * 10_000,
         "__import__('os').mkdir('outside')", "nan", "inf", "1e999", "0x10", "True", "=1+1", "1_000",
         "e" * 40 + "|" * 40]  # fmt: skip
DEEP = [json.loads("[" * 60 + "]" * 60), {"a": {"a": {"a": [{}]}}}]
ODD: list[Any] = [None, True, [], {}, [[]], [None] * 1000, {"": None}, {"a": 1}, *NUMBERS, *TEXTS, *DEEP]
BYTES = [b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\r", b'"', b",", b"{", b"[", b"NaN", b"9" * 400,
         b"\x80\x05.", b"\x1b[31m", b"[" * 2000, b'{"a":' * 2000]  # fmt: skip
OPCODES = [b"(", b".", b"0", b"1", b"2", b"N", b"K\x01", b"]", b"}", b"\x8f", b")", b"\x85", b"\x86", b"t",
           b"l", b"d", b"e", b"u", b"a", b"s", b"\x90", b"\x91", b"\x94", b"h\x00", b"h\x01", b"q\x05", b"R",
           b"b", b"\x81", b"c__builtin__\nset\n", b"connx_ir.graph\nGraph\n", b"cnumpy\ndtype\n",
           b"\x8c\x02f8", b"\x8c\x08builtins", b"\x8c\x04eval", b"\x93", b"\x8a\x08" + PRIME.to_bytes(8,
           "little"), b"C\x04abcd", b"\x82\x01", b"ios\nmkdir\n", b"G" + bytes(8)]  # fmt: skip

Spoil = Callable[[random.Random, bytes], bytes]


def cut(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def flip(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def insert(rng: random.Random, content: bytes) -> bytes:
    place = rng.randrange(len(content) + 1)
    return content[:place] + rng.choice(BYTES) * rng.choice([1, 1, 3]) + content[place:]


def repeat(rng: random.Random, content: bytes) -> bytes:
    first, last = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:last] + content[first:last] * rng.choice([1, 2, 50]) + content[last:]


def change_number(rng: random.Random, content: bytes) -> bytes:
    places = list(re.finditer(rb"\d+", content))
    if not places:
        return content
    place, new = rng.choice(places), str(rng.choice([*NUMBERS, *TEXTS])).encode("utf-8", "replace")
    return content[: place.start()] + new + content[place.end() :]


def change_value(rng: random.Random, content: bytes) -> bytes:
    """Put an odd value, or no value, in some place of a JSON text."""
    value = json.loads(content)
    for _ in range(rng.randint(1, 2)):
        holder, parts = None, value
        while isinstance(parts, (dict, list)) and parts and (holder is None or rng.random() < 0.8):
            key = rng.choice(list(parts) if isinstance(parts, dict) else range(len(parts)))
            holder, parts = parts, parts[key]
        if holder is not None:
            if rng.random() < 0.2:
                del holder[key]
            else:
                holder[key] = rng.choice(ODD)
    return json.dumps(value, default=str).encode("utf-8", "replace")


def give_twice(rng: random.Random, content: bytes) -> bytes:
    keys = list(re.finditer(rb'"[a-z_]+":', content))
    place = rng.choice(keys) if keys else None
    return content if place is None else content[: place.start()] + place[0] + b" 1, " + content[place.start() :]


def program(rng: random.Random, content: bytes) -> bytes:
    """A pickle of random operations."""
    return b"\x80\x04" + b"".join(rng.choices(OPCODES, k=rng.randint(1, 60))) + b"."


ANY: list[Spoil] = [cut, flip, insert, repeat, change_number]
JSON: list[Spoil] = [*ANY, change_value, change_value, change_value, give_twice]
PICKLE: list[Spoil] = [*ANY, program, program]


def spoilt(content: bytes, ways: list[Spoil], seed: int) -> bytes:
    """Return a hostile content for a valid one."""
    rng = random.Random(seed)
    return rng.choice(ways)(rng, content)
