"""Instruments for notebooks, attached from outside: pictures, checks, magics."""
