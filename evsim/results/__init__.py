"""What runs leave behind, compared and shown."""
