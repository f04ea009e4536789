"""Static files: minified, hashed and compressed once gathered, plain while they are not.

`console` gathers them at its start; plain `runserver` on a fresh clone has nothing gathered and
serves the sources under their own names.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rcssmin import cssmin
from rjsmin import jsmin
from whitenoise.compress import Compressor
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Our own files. What is vendored comes minified, or keeps its licence where it stands.
MINIFIERS: dict[str, Callable[[str], str]] = {"js": jsmin, "css": cssmin}


class GatheredStaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """A name that is not in the manifest is served as it is, never an error page."""

    manifest_strict = False

    def post_process(
        self, paths: Mapping[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[Any]:
        """Without comments and spare spaces, a third less goes over the line."""
        if not dry_run:
            for name in paths:
                folder, _, rest = name.partition("/")
                if rest.endswith(f".{folder}") and folder in MINIFIERS:
                    file = Path(self.path(name))
                    _rewrite(file, MINIFIERS[folder](file.read_text(encoding="utf-8")))
        yield from super().post_process(paths, dry_run, **options)

    def create_compressor(self, **options: Any) -> Compressor:
        """gzip alone: whitenoise knows only Brotli's best level, and with the API's documents
        that takes a first start ten seconds, far more on a busy machine, for a tenth of a size."""
        return Compressor(use_brotli=False, **options)

    def stored_name(self, name: str) -> Any:
        known = self.hashed_files.get(self.hash_key(self.clean_name(name)))
        return known if known is not None else name


def _rewrite(file: Path, words: str) -> None:
    """All of it or nothing: a disk that is full, or a stop in the middle, leaves no half file."""
    beside = file.with_name(f".{file.name}.new")
    try:
        beside.write_text(words, encoding="utf-8")
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Modules import each other under their own names, so those too are served as gathered.

    Left to itself whitenoise puts the sources, which lie there uncompressed, in their place.
    """

    def add_files_from_finders(self) -> None:
        gathered = dict(self.files)
        super().add_files_from_finders()
        self.files.update(gathered)
