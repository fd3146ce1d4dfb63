"""Decoding hostile images in processes of their own that can be limited, killed and replaced."""
