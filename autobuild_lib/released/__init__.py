"""The authors' released caches: their names, and pickles opened by a restricted reader alone.

Tables made from them live in `data`; downloads live in the companion.
"""
