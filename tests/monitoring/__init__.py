"""What processes do and have done."""
