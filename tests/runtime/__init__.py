"""Tests of `services.runtime`."""
