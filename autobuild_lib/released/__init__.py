"""The authors' released caches: downloads, and pickles opened by a restricted reader alone.

Tables made from them are ordinary tables of `data`.
"""
