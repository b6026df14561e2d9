"""Tests of the command line with sockets and processes."""
