"""A cluster as widgets and the dashboard see it: pictures that change, objects to look through, controls to press."""
