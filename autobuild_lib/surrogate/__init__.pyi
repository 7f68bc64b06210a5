from .bundled import (
    LABELS as LABELS,
    SPACES as SPACES,
    Surrogate as Surrogate,
    load_bundled as load_bundled,
    ofa_mbv3 as ofa_mbv3,
    ofa_pn as ofa_pn,
)
from .published import load_published as load_published
