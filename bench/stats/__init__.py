"""Deciding, in pure functions of values: intervals, tests, and where each case stands."""
