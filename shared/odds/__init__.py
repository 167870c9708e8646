"""Bookmaker odds: conversions, removal of the margin, and the consensus of several books."""
