"""The catalog of attacks and invalid inputs: 252 numbered entries, each covered by one test or several."""
