"""The thing under test as we see it: its file, what we ask of it, and the drivers that ask."""
