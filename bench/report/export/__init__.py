"""The formats of `export`: a file each, with a function from run to text.

See `registry` to add one.
"""
