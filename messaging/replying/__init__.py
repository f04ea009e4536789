"""What members do to answer: send, park, retry, decide, note; and what a reply may be."""
