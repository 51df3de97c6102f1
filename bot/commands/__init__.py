"""`python -m bot`: what an operator types."""
