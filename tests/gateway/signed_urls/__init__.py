"""Signed URLs of sizes that are made on request."""
