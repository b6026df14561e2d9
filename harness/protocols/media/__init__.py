"""Media as bytes: folders, ZIP files and ISO 9660 images, DICOMDIR records with their offsets, web pages."""
