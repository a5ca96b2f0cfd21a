"""Fits of mixtures to samples: clusters, growth by splitting, exchanges, the choice of K."""
