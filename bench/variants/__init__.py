"""Variants: a tree, a Python and libraries, made into a ``BuiltVariant`` whose workers can be started.

Everything is kept in a cache by its content; docs/variants.md explains the folders.
"""
