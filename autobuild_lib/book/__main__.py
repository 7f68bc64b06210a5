"""`python -m autobuild_lib.book PROFILE` builds the book in the current folder."""

import sys

from autobuild_lib.book.building import main

sys.exit(main())
