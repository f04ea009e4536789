"""Pages go out compressed: a list of rows shrinks to a tenth.

Only HTML. Files are compressed already or ranges are asked of them. What an attacker may make us
repeat beside a secret is covered: CSRF tokens are masked anew in each answer, and Django adds a
name of random length to each.
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
