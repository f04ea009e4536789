# The console as a container: small, not root, and it runs on a read-only file system.
# Data belongs into the volume /srv/weilink/var, uploads that are under way into /tmp.
FROM python:3.11-slim-trixie AS build

WORKDIR /src
COPY requirements/base.txt requirements/
RUN python -m venv /opt/weilink \
 && /opt/weilink/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/base.txt
COPY pyproject.toml README.md LICENSE ./
COPY weilink_site weilink_site
COPY sessions_app sessions_app
COPY messaging messaging
COPY templates templates
COPY static static
RUN /opt/weilink/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-trixie

RUN groupadd --system --gid 10001 weilink \
 && useradd --system --uid 10001 --gid weilink --home-dir /srv/weilink --shell /usr/sbin/nologin weilink \
 && install --directory --owner=weilink --group=weilink --mode=0700 /srv/weilink /srv/weilink/var
# `backup` and `restore` need the programs of the server's version (compose.yaml), or newer ones.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends postgresql-client-17=17.* \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/weilink /opt/weilink
ENV PATH=/opt/weilink/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /srv/weilink
USER 10001:10001
VOLUME /srv/weilink/var
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["daphne", "-b", "0.0.0.0", "-p", "8000", "--verbosity", "0", "weilink_site.asgi:application"]
