from collections import Counter
import tests.api.test_schema as m
from tests.api.test_schema import secret, fuzz
def test_one(secret, monkeypatch):
    import schemathesis, time
    seen = Counter()
    orig = schemathesis.Case.call
    def call(self, **kw):
        r = orig(self, **kw); seen[r.status_code, r.request.method] += 1; 
        return r
    monkeypatch.setattr(schemathesis.Case, "call", call)
    for label in ("POST /api/v1/messages", "GET /api/v1/messages"):
        seen.clear(); t=time.time()
        fuzz(secret, label, 12)
        print("Counter", label, seen, time.time()-t)
def test_two(secret, monkeypatch):
    from messaging.api import status
    monkeypatch.setattr(status, "product_version", lambda: 1/0)
    fuzz(secret, "GET /api/v1/status", 3)
def test_three(secret, monkeypatch):
    from messaging.api import errors
    monkeypatch.setattr(errors, "error_body", lambda *a, **k: {"detail": 1})
    fuzz(secret, "POST /api/v1/messages", 3)
