"""A pull-request comment: what changed and what the gate says of it, cut where too long."""
