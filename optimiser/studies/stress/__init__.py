"""Stress: what each event costs after the first decisions were taken, and the rule of thumb."""
