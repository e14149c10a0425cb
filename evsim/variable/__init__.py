"""Networks whose cells choose their own time steps, with spikes at exact times."""
