"""What people say to the bots and what agents answer."""
