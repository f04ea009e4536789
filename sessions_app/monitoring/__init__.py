"""What the console says about itself: numbers for Prometheus, and trace ids for the log."""
