"""The app that puts the others together and provides the `console` and `poller` commands."""

from django.apps import AppConfig


class WeiLinkSiteConfig(AppConfig):
    name = "weilink_site"
    verbose_name = "WeiLink Console"
