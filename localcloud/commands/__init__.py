"""One subcommand a file: `HELP`, `MORE`, `add_arguments`, and `run`, which returns the exit code."""
