"""The sportsbook feed: a reference source that can never become a leg of a trade."""
