"""What all processes are doing, and what they have done in the last hour."""
