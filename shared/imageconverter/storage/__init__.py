"""The object store: the data path, the bucket, and the circuit breaker around both."""
