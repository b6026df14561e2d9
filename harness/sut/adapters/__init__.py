"""Small programs that stand between a driver and a product without a command line for some action."""
