"""Decoding hostile pictures in processes of their own that can be limited, killed and replaced."""
