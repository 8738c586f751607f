"""The program: a pure core and the shell around it."""
