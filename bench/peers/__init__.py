"""Programs that the benchmarks compare with."""
