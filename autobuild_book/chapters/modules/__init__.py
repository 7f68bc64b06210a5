"""The best and worst modules (claim C3): scores, interventions that test them, and the verdict.
"""
