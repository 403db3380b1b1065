"""Tests of the DLMS/COSEM integration and of its client."""
