"""Orders as immutable records: intents, approvals, the order's states, and the ledger of what they earned."""
