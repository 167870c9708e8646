"""Mapping: from an exchange market to the sportsbook event it is about, with proof or with a reason."""
