"""Print composers and print servers."""
