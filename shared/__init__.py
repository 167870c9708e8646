"""The library. Imports point from the outside to the core, never back."""
