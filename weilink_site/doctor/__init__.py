"""`manage.py doctor`: looks at everything that the console needs, and says what to do."""
