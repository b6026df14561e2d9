"""What CPI objects and print messages must hold, as data."""
