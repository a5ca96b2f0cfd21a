"""Figures and pages for people: the only room that imports matplotlib."""
