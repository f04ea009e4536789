"""Static files: minified, hashed and compressed once they are collected, unchanged before.

`console` collects them at its start. Plain `runserver` on a fresh clone has none collected and
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

# Our own files. Vendored files are minified already, or must keep their licence text.
MINIFIERS: dict[str, Callable[[str], str]] = {"js": jsmin, "css": cssmin}


class GatheredStaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Serves a name that is not in the manifest unchanged instead of raising an error."""

    manifest_strict = False

    def post_process(
        self, paths: Mapping[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[Any]:
        """Remove comments and spaces, which saves a third of the size."""
        if not dry_run:
            for name in paths:
                folder, _, rest = name.partition("/")
                if rest.endswith(f".{folder}") and folder in MINIFIERS:
                    file = Path(self.path(name))
                    _rewrite(file, MINIFIERS[folder](file.read_text(encoding="utf-8")))
        yield from super().post_process(paths, dry_run, **options)

    def create_compressor(self, **options: Any) -> Compressor:
        """Use gzip only.

        whitenoise supports only Brotli's highest level, which would delay a first start by ten
        seconds or far more (because of the API's documents), to save a tenth of the size.
        """
        return Compressor(use_brotli=False, **options)

    def stored_name(self, name: str) -> Any:
        known = self.hashed_files.get(self.hash_key(self.clean_name(name)))
        return known if known is not None else name


def _rewrite(file: Path, words: str) -> None:
    """Write atomically: a full disk or a crash leaves no partial file."""
    beside = file.with_name(f".{file.name}.new")
    try:
        beside.write_text(words, encoding="utf-8")
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Modules import each other under their own names, so these are served in their collected form.

    By default whitenoise would serve the uncompressed sources instead.
    """

    def add_files_from_finders(self) -> None:
        gathered = dict(self.files)
        super().add_files_from_finders()
        self.files.update(gathered)
