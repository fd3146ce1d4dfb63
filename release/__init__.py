"""What makes a release: `make dist` runs it."""
