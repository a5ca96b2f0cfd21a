"""Run the command line with `python -m gmmx`."""

from .cli.main import main

main()
