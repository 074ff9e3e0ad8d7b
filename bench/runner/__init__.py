"""Running an experiment: the block loop, its processes, and who sees to it that they end."""
