"""What every role needs to run: signals, logs, queue workers."""
