"""Trained networks: claims of the paper judged on tables of networks that other people trained and timed."""
