"""From a poll to rows: poll loops, answers stored once, doubts about sessions."""
