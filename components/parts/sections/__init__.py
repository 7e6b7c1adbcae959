"""A stack's settings by subject: each file says which keys there are, and reads them."""
