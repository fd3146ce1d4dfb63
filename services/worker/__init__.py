"""The worker: runs the jobs of the queues in sandbox processes."""
