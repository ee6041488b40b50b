"""Tests of the embedded."""
