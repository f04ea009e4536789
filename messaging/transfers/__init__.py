"""Files on their way: fetched from WeChat's CDN, uploaded to it, staged by members."""
