"""The composition root as an app: it brings the `console` and `poller` commands."""

from django.apps import AppConfig


class WeiLinkSiteConfig(AppConfig):
    name = "weilink_site"
    verbose_name = "WeiLink Console"
