"""The examples of reverse proxies, run by the programs themselves."""
