"""What the office does, as plain functions over a store connection."""
