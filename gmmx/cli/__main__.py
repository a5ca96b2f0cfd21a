"""Run the command line with `python -m gmmx.cli`."""

from .main import main

main()
