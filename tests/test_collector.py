"""What a full collection costs the served console: it stops every page and every poll."""

import gc

from weilink_site import asgi


def test_a_full_collection_does_not_look_through_what_was_imported() -> None:
    gc.unfreeze()
    gc.collect()
    before = len(gc.get_objects())
    asgi.keep_what_is_loaded()
    assert gc.get_freeze_count() > 50_000
    gc.collect()
    assert len(gc.get_objects()) < before / 3
