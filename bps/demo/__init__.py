"""The demonstration: the main job on real blueprints, each claim checked as it is printed."""
