"""Tests of automatic conversion."""
