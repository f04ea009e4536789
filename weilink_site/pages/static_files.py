"""Static files: minified, hashed and compressed once they are collected, unchanged before.

`console` collects them at its start. Plain `runserver` on a fresh clone has none collected and
serves the sources under their own names.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
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
    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (
            "js/*.js",
            (
                (r"""(?P<matched>from\s*["'](?P<url>\.[^"']+)["'])""", 'from"%(url)s"'),
                (r"""(?P<matched>import\(["'](?P<url>\.[^"']+)["']\))""", 'import("%(url)s")'),
            ),
        ),
    )
    """Our modules import each other by hashed names, so that browsers keep them for a year."""
    max_post_process_passes = 40
    """One per module in the longest chain of imports; no import leads in a circle."""

    def post_process(
        self, paths: Mapping[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[Any]:
        """Remove comments and spaces, which saves a third of the size."""
        minified: dict[str, Any] = {}
        if not dry_run:
            for name in paths:
                folder, _, rest = name.partition("/")
                if rest.endswith(f".{folder}") and folder in MINIFIERS:
                    file = Path(self.path(name))
                    _rewrite(file, MINIFIERS[folder](file.read_text(encoding="utf-8")))
                    minified[name] = (self, name)  # hashed from here on, not from the sources
        yield from super().post_process({**paths, **minified}, dry_run, **options)

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

    files: dict[str, Any]
    sources: ClassVar[dict[tuple[Any, ...], dict[str, Any]]] = {}
    """The files of each configuration, by URL."""

    def add_files_from_finders(self) -> None:
        """Look for the sources once per process, because they do not change while it runs.

        A process may have several handlers: in the tests every client has one of its own.
        """
        known = (self.static_prefix, self.static_root, self.max_age, *settings.STATICFILES_DIRS)
        gathered, self.files = self.files, {}
        if known not in self.sources:
            super().add_files_from_finders()
            self.sources[known] = self.files
        self.files = {**self.sources[known], **gathered}
