"""What several tests share: oracles, toys, and small runs."""
