"""Research objects (RO-Crate): what the book hands out, with what it is, what it was made of, and by whom."""

METADATA = "ro-crate-metadata.json"  # the file that describes all others
