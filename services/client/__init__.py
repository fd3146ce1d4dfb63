"""Commands for people: they talk to a gateway like any other client."""
