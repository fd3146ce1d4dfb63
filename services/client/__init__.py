"""The client library of the images API: operations, and uploads of local folders."""
