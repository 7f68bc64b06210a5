"""Introspectability as a second objective of a search (Carmichael, Moon and Jacobs, XNAS, 2021)."""
