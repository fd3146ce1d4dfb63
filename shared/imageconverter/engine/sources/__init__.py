"""Readers of our own for the formats that Pillow lacks or reads wrongly: one Pillow plugin a file."""
