"""How much may be under way in one web process, of each caller and in all."""
