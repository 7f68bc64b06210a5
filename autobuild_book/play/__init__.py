"""The page on which one builds a network: its predictors, and what the page computes with, written as scripts."""
