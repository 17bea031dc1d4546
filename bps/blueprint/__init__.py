"""Intake of blueprints: the strict YAML profile that every submitted blueprint must keep."""
