"""What the buttons do: one method for each, grouped as the console's tabs are."""
