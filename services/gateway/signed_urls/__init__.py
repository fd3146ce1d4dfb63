"""Sizes that are made on request: URLs with options and a signature."""
