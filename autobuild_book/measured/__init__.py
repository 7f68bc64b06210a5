"""Labels measured here: rows that are added and never changed, jobs that add them, tables made from them.

How a task is trained and judged lives in the chapter of the task.
"""
