"""What a run does, in counts that no chip decides, and what that costs on each chip."""
