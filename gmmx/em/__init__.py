"""One iteration of expectation maximisation and one ascent, for any likelihood.

Nothing here reads a file or chooses the number of components. `likelihood` is the protocol,
`maximise`, `ascent` and `information` build on it, and `photons` implements it for the sky.
"""
