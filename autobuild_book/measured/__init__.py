"""Labels measured here: rows that are added and never changed, tables made from them, and what a network is.

How a task is trained and judged lives in the chapter of the task.
"""
