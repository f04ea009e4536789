"""Who was forgotten, known by keyed hashes alone. What WeChat repeats of them is not stored."""
