"""The client side of the iLink bot protocol: wire, errors, client, cdn, crypto, backoff, hosts.

Imports no Django, stores nothing and makes no policy decisions.
"""
