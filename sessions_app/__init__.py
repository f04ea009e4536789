"""One WeChat bot session: getting it, keeping it, speaking its protocol."""
