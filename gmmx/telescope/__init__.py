"""What is known about telescopes and instruments without reading an observation."""
