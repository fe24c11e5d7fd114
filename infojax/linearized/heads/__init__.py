"""A linear head on given features, trained in closed form: p × p factors and two passes over tiles, never n × n."""
