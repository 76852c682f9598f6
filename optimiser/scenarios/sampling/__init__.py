"""From what is uncertain to a few scenarios: sampled, reduced, and what the reduction lost."""
