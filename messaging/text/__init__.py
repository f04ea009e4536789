"""What people type, as safe and readable text: links, faces, parts. Pure."""
