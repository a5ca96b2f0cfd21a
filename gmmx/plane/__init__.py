"""Where things are: tangent planes, pixel grids and shapes.

Nothing here knows a telescope or a fit.
"""
