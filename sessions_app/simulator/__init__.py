"""The simulated WeChat: an ASGI application that speaks the bot protocol as WeChat's servers do.

It is written from the protocol's description alone. It must never import the client
(`sessions_app.ilink`) or Django's models, so that one bug cannot cancel another.
"""
