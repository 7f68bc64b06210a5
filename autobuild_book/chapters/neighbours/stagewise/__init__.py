"""Stage-wise search: a shallow network grows stage by stage (Jordao et al., ICPR 2020)."""
