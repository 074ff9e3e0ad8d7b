"""Variants of a tree: made, given an environment, and turned into sides whose workers can be started.

Whatever is made once is kept in a cache by its content; docs/variants.md says what is where.
"""
