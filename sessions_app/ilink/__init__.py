"""The iLink bot protocol as a client speaks it: wire, errors, client, cdn, crypto, backoff, hosts.

Imports no Django, touches no storage and decides no policy.
"""
