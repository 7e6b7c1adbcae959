"""What people do once the system runs."""
