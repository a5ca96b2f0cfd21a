"""Files, options and the instrument's defaults become an Observation."""
