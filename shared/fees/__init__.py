"""What every venue charges, by market and by date, exact to the micro-dollar."""
