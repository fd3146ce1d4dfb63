"""What tests and benchmarks share: image files, servers, faults, requests."""
