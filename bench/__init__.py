"""The benchmark: a world made from a seed, a load driver, scenarios, and a verdict per target."""
