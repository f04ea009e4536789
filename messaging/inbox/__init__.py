"""The inbox page: lists, rows, conversations, bubbles and the views that render them."""
