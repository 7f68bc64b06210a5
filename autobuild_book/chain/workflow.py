"""Snakemake that ends with the process that starts it: `python -m autobuild_book.chain.workflow ARGUMENTS`."""

import sys

from autobuild_book.chain.parents import end_with_parent
from autobuild_lib.extras import extra

with extra("book"):
    from snakemake import cli

if __name__ == "__main__":
    end_with_parent()
    cli.main(sys.argv[1:])
