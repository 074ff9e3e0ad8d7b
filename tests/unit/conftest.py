"""Load the number of examples of property tests: 25, or 100 with `--hypothesis-profile=thorough`."""

from hypothesis import settings

settings.register_profile("quick", max_examples=25)
settings.register_profile("thorough", max_examples=100)
settings.load_profile("quick")
