"""The HTTP layer: bodies, connections, middleware and responses, whatever the API."""
