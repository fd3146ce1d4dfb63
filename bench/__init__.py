"""Benchmarks. They measure ratios in one run, because absolute times on a shared machine are not comparable."""
