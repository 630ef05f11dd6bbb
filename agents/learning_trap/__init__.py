"""The learning-trap experiment: arms, curves, report."""
