"""The HTTP API `/api/v1/`: one module per noun. Each call runs one query or one service.

Who may see or do what is decided by `access` and the services, as for the pages, never here.
"""
