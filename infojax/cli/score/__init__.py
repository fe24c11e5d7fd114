"""`infojax score`: what each example of the user's data is worth to a network."""
