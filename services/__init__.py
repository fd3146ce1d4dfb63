"""The processes of imageconverter: gateway, worker, reporter, and the stack that runs them all on one machine."""
