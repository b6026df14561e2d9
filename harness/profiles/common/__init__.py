"""Rows that bind every profile: the DICOM conformance statement and the IHE integration statement."""
