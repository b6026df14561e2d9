"""The pure domain: what a requirement, a message, a transcript, a finding and a run are. Standard library only."""
