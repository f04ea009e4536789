"""The worker: one asyncio component that polls, sends, and does what is due."""
