from .blueprint import Blueprint as Blueprint, blueprint as blueprint, has_networks as has_networks
from .counts import (
    count_macs as count_macs,
    count_macs_from_codes as count_macs_from_codes,
    count_parameters as count_parameters,
    count_parameters_from_codes as count_parameters_from_codes,
)
from .modules import build as build
