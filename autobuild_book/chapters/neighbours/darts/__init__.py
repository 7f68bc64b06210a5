"""EM-DARTS: differentiable search of cells and of their links by turns, and depth by transfer entropy (Qin, 2024)."""
