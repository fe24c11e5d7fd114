"""Named sets and weights: where they are pinned, how they are brought, and where they lie on this machine."""
