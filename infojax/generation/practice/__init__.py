"""The learner's loop of Deliberate Practice (arXiv 2502.15588, Algorithm 1), and the policies it is compared with."""
