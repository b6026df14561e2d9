"""Every decision that the Technical Framework or DICOM regulates, as small pure functions without state."""
