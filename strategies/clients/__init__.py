"""HTTP libraries behind one small interface, one a file; ``bench.api`` describes it."""
