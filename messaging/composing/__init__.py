"""What members have begun to write: drafts and their files."""
