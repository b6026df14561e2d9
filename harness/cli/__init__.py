"""The command line: one thin module per command, and the only package that prints."""
