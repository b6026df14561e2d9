"""Report repositories and readers, and the documents that they hold."""
