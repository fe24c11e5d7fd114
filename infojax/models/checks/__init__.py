"""What is asked of a network, its parameters and its outputs before they are used."""
