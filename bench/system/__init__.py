"""Read this machine: its limits, settings and processes, and disturbances of its timings."""
