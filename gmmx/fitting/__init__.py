"""Which components there are, and when a fit stops."""
