"""HTTP libraries behind one small face, one a file; see ``bench.api`` for what each must offer."""
