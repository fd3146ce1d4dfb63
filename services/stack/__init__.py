"""The local stack that `imageconverter up` runs: all roles, Redis and S3 on one machine."""
