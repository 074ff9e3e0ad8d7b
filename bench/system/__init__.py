"""Read this machine: its limits, its settings, its processes, and what disturbs timings on it."""
