"""The gateway: the HTTP server. It parses and authorizes requests, calls the core, and builds responses."""
