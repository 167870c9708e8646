"""Order books: depth kept from a stream, walked for size, and refused when it cannot be trusted."""
