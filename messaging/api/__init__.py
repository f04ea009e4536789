"""The HTTP API `/api/v1/`: one room per noun. Schema in, one query or service, schema out.

What it may show or do is decided by `access` and the services, as for the pages; never here.
"""
