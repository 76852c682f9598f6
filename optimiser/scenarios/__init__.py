"""Many futures: sampled, and planned in bundles."""
