"""Exported definitions, run here: Logic Apps and Data Factory pipelines, and the expression language of both."""
