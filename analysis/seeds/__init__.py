"""Registries as data: each row names its source."""
