"""Risk: small named controls, all run before every order, and an order only a passing verdict can build."""
