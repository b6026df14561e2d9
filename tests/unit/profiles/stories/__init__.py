"""Good exchanges by what a product plays in them, and the changes that break them."""
