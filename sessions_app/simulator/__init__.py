"""The simulated WeChat: an ASGI application that speaks the bot protocol like WeChat's servers.

It is written from the protocol's description alone. It must never import the client
(`sessions_app.ilink`) or Django's models, so that the same bug cannot be on both sides.
"""
