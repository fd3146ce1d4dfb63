"""The worker: takes conversions from the queue and carries them out in confined processes."""
