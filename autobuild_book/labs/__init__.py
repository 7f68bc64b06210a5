"""Checks of the labs' exercises: each function takes an answer and accepts every right one or explains a wrong one.

One module per lab (`embeddings`, `importances`, `modules`, `regions`); `answers` holds what they share and `judging`
what labels networks in them. `handout` turns the sources in `labs/` into what students and teachers get.
"""
