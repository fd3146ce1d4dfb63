"""The images API: one module per resource."""
