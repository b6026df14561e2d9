"""Pure pixels in numpy: the grayscale pipeline to P-Values, presentation states, PS3.14, phantoms, PNG.

Nothing here knows DICOM data sets: parameters arrive as dataclasses, pictures as arrays of shape (rows, columns).
"""
