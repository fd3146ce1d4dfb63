"""The catalog of attacks and bad inputs: 252 numbered entries, each of them a test or several."""
