"""The rules, a file for what they are about."""
