"""What regions become."""


class Shapes:
    """Placeholder until the geometry lands."""
