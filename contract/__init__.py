"""What every side agrees on, written once."""
