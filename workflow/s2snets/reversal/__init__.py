"""Reversed networks, and what they tell (Mahendran & Vedaldi 2016)."""
