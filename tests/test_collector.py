"""What a full collection costs the served console: it stops every page and every poll."""

import gc
import time

from weilink_site import asgi


def test_a_full_collection_does_not_look_through_what_was_imported() -> None:
    gc.unfreeze()
    gc.collect()
    began = time.perf_counter()
    gc.collect()
    before = time.perf_counter() - began
    asgi.keep_what_is_loaded()
    assert gc.get_freeze_count() > 50_000
    began = time.perf_counter()
    gc.collect()
    assert time.perf_counter() - began < before / 3
