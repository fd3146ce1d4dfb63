"""The error of everything that an operator configures."""


class InvalidConfiguration(ValueError):  # noqa: N818 - named after what is wrong
    """What an operator has configured cannot be used; the message has one line for each problem."""
