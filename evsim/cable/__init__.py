"""Branched neurites: their geometry, their compartments, and the implicit step of their membrane."""
