"""Rows that bind every profile: DICOM in general, the conformance statement and the integration statement."""
