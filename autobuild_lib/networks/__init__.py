"""The once-for-all networks: modules, parameters and multiply-adds of any architecture of both families."""

from autobuild_lib.networks.blueprint import Blueprint, blueprint, has_networks
from autobuild_lib.networks.counts import (
    count_macs,
    count_macs_from_codes,
    count_parameters,
    count_parameters_from_codes,
)
from autobuild_lib.networks.modules import build

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
