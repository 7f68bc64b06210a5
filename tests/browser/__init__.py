"""The built book, opened as a reader does: every page, in a real browser (see `__main__`)."""
