"""Surrogate labels: the bundled surrogates, and the published predictors that they learnt from.

They imitate graph networks, not measurements. How they were distilled lives in the companion.
"""

from autobuild_lib.surrogate.bundled import LABELS, SPACES, Surrogate, load_bundled, ofa_mbv3, ofa_pn
from autobuild_lib.surrogate.published import load_published
from autobuild_lib.surrogate.teachers import published

__all__ = ["LABELS", "SPACES", "Surrogate", "load_bundled", "load_published", "ofa_mbv3", "ofa_pn", "published"]
