"""Where parameters meet data in a network, found in its equations, and what the kernel needs of each place."""
