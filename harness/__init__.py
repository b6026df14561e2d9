"""IHE Radiology conformance harness for the profiles SWF, SWF.b, ARI, CPI and PDI."""

__version__ = "0.1.0"
