"""The ImageConverter API of Open-Xchange."""
