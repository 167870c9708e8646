"""The exchange we trade on: wire models, signing, client, stream, and the way into our own messages."""
