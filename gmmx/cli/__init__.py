"""The command line. Only this room imports click."""
