from .blueprint import Blueprint as Blueprint, blueprint as blueprint, has_networks as has_networks
from .counts import count_macs as count_macs, count_parameters as count_parameters
from .modules import build as build
from .supernet import Supernet as Supernet
