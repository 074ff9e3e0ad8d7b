"""The formats of `export`, a file each: one function from a run to its text. See `registry` to add one."""
