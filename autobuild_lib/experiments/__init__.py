"""What the notebooks compute: one module per experiment of the paper."""
