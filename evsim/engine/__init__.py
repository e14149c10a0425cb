"""The event-queue engine: synapse rows, a queue of rows that are due, and the loop that advances a network."""
