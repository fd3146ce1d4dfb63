"""Tests of the containers: they need a Docker engine and take a minute."""
