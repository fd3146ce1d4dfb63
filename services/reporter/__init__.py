"""The reporter: compares what the shop names with what the store holds, and sweeps what nobody needs any more."""
