"""File transfers: downloads from WeChat's CDN, uploads to it, and uploads by members."""
