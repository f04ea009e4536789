"""What is left to reply with: the route, the time, the quota, the pace."""
