"""The library under attack: hostile inputs for every reader, kills at every file operation. Run by `make test-all`."""
