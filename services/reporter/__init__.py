"""The reporter: compares the catalogs of the shop with the store, and deletes what has expired."""
