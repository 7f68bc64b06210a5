from .blueprint import Blueprint, blueprint, has_networks
from .counts import (
    count_macs,
    count_macs_from_codes,
    count_parameters,
    count_parameters_from_codes,
)
from .modules import build

__all__ = [
    "Blueprint",
    "blueprint",
    "build",
    "count_macs",
    "count_macs_from_codes",
    "count_parameters",
    "count_parameters_from_codes",
    "has_networks",
]
