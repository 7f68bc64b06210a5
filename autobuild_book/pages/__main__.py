"""`python -m autobuild_book.pages PROFILE` builds the book in the current folder."""

import sys

from autobuild_book.pages.building import main

sys.exit(main())
