"""The version of this installation, from the package's own metadata."""

from importlib.metadata import PackageNotFoundError, version

from sessions_app.ilink.client import ClientIdentity


def product_version() -> str:
    try:
        return version("weilink-console")
    except PackageNotFoundError:  # run from a checkout without installation
        return "0.0.0"


def wire_identity() -> ClientIdentity:
    """How this product identifies itself to WeChat."""
    number = product_version()
    return ClientIdentity(app_version=number, bot_agent=f"WeiLinkConsole/{number}")
