"""Snakemake that ends with the process that starts it: `python -m autobuild_lib.chain.workflow ARGUMENTS`."""

import sys

from snakemake import cli

from autobuild_lib.chain.parents import end_with_parent

if __name__ == "__main__":
    end_with_parent()
    cli.main(sys.argv[1:])
