"""The DICOM network engine: a core that never touches a socket, and a thin threaded transport around it."""
