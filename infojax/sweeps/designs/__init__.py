"""Designs: which configs a sweep computes, from fields, ranges and rows."""
