#!/bin/sh
# `fawen …` on a server: `python -m bot …` as the service's own user with the service's settings.
# Run as root it would leave files in /var/lib/fawen that the service cannot open.
[ "$(id -u)" = 0 ] || exec sudo "$0" "$@"
umask 077
cd /etc/fawen || exit 1
exec runuser -u fawen -- env PYTHONPATH=/opt/fawen PYTHONDONTWRITEBYTECODE=1 \
    /opt/fawen/.venv/bin/python -m bot "$@"
