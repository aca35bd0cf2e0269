"""Losses as mathematics on arrays: one value per example, never reduced."""
