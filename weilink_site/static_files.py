"""Static files: hashed and compressed once gathered, plain while they are not.

`console` gathers them at its start; plain `runserver` on a fresh clone has nothing gathered and
serves the sources under their own names.
"""

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class GatheredStaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """A name that is not in the manifest is served as it is, never an error page."""

    manifest_strict = False

    def stored_name(self, name: str) -> Any:
        known = self.hashed_files.get(self.hash_key(self.clean_name(name)))
        return known if known is not None else name
