"""Static files: hashed and compressed once gathered, plain while they are not.

`console` gathers them at its start; plain `runserver` on a fresh clone has nothing gathered and
serves the sources under their own names.
"""

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage


class GatheredStaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """A name that is not in the manifest is served as it is, never an error page."""

    manifest_strict = False

    def create_compressor(self, **options: Any) -> Compressor:
        """gzip alone: whitenoise knows only Brotli's best level, and with the API's documents
        that takes a first start ten seconds, far more on a busy machine, for a tenth of a size."""
        return Compressor(use_brotli=False, **options)

    def stored_name(self, name: str) -> Any:
        known = self.hashed_files.get(self.hash_key(self.clean_name(name)))
        return known if known is not None else name


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Modules import each other under their own names, so those too are served as gathered.

    Left to itself whitenoise puts the sources, which lie there uncompressed, in their place.
    """

    def add_files_from_finders(self) -> None:
        gathered = dict(self.files)
        super().add_files_from_finders()
        self.files.update(gathered)
