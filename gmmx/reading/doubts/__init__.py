"""Input that can be read and is plausible, but wrong: what is checked, and the warnings.

Each check is a small function from an `Evidence` to lines of text, none as a rule. Its docstring
says what it looks at, and why its threshold gives no false alarm. `CHECKS` lists them in the order
of the files. `doubts_about` asks all of them once an observation is assembled; `joint` and
`held_out` have those of several observations and of a model.
"""
