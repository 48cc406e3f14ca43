"""Measures and tables: functions of numbers that never see a network."""
