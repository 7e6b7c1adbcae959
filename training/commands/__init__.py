"""One subcommand a file: what it takes. What it needs to do its work is imported when it runs."""
