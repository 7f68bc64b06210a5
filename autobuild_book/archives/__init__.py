"""Archives: one zip file, a research object, of the runs in a folder; written, checked, and run again from it."""
