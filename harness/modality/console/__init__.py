"""The web console: what a technologist sees and presses; every press is one operation of the table."""
