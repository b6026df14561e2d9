"""The local database: schema with migrations, a connection that serialises writers, and the tables as methods."""
