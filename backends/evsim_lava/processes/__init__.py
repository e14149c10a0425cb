"""evsim's own Lava processes. Lava imports every file of a folder in which it looks for process models: keep only them
here."""
