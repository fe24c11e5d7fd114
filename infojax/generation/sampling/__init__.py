"""From noise to examples: schedules, steps, guidance, and the ways to sample with it."""
