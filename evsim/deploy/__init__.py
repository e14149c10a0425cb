"""From a network to a chip: check what cannot be, then quantise what can, and say what it costs."""
