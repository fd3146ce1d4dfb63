"""The rules for images: formats, names, uploads, conversions, directories, deletion."""
