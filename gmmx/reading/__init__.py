"""From files and options to observations.

`door` finds out whether a file holds single photons or a counts image. `event_list` and
`counts_image` are two straight lines from there: photons are selected (`selection`), exposed
(`exposure`), given a PSF (`psf`) and assembled (`assemble`) with masks (`region_lists`, `masks`)
and backgrounds (`background`). `joint` and `placing` bring the observations of a fit into one
plane. `fit_input` adds point sources and a start, and `held_out` reads photons to score a model.
"""
