"""Tests of the model: triggers against independent oracles, and every mistake with its fix."""
