"""Files of messages: fetched, recognised, kept, shown, brought, uploaded.

The helper process imports this package too: nothing here may import Django.
"""
