"""The nouns of a fit, and the terms of the expected density of photons."""
