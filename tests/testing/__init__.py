"""Shared by tests and benchmarks: image files, servers, faults, requests."""
