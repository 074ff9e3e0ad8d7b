"""Run an experiment: the block loop, its trials and their validation, and the processes below them."""
