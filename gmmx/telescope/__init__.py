"""Facts about telescopes and instruments that need no observation."""
