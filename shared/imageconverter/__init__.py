"""The core of imageconverter: formats, the engine, storage, the job queue and the rules that join them."""

__version__ = "0.3.0"
