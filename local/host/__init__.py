"""A development host that runs the untouched function_app.py."""
