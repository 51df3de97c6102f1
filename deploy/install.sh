#!/bin/sh
# Install Fawen on Debian 12/13 or Ubuntu 24.04, or update it: run it again from the newer copy.
# Settings, certificates and data that are there already stay as they are.
set -eu
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$1"; }
with_systemd() { [ -d /run/systemd/system ]; }
put_once() { [ -e "$3" ] || install -m "$1" -o root -g "$2" "$4" "$3"; }

if [ "$(id -u)" != 0 ]; then
    echo "请用管理员身份运行： sudo sh deploy/install.sh" >&2
    exit 1
fi
if ! command -v apt-get >/dev/null; then
    echo "这个脚本只认 Debian 12/13 和 Ubuntu 24.04；别的系统请照 deploy/Dockerfile 用容器运行。" >&2
    exit 1
fi
if [ "$(pwd -P)" = /opt/fawen ]; then
    echo "请在解压出来的程序包里运行，不要在 /opt/fawen 里运行。" >&2
    exit 1
fi

running=
# A service that crashes and is started again and again counts, too.
state=$(with_systemd && systemctl is-active fawen || true)
if [ "$state" = active ] || [ "$state" = activating ]; then
    running=yes
    if [ "${1:-}" != --no-backup ]; then
        say "更新之前先备份"
        if ! systemctl start fawen-backup; then
            echo "备份没有成功，更新停在这里，什么都没有动。原因看 journalctl -u fawen-backup -n 5" >&2
            echo "一定要不备份就更新（例如装坏了要换回来）： sudo sh deploy/install.sh --no-backup" >&2
            exit 1
        fi
    fi
fi

say "1/5 系统软件：Python、nginx 等"
needed="nginx python3 python3-venv curl ca-certificates openssl nano"
# An update must not need the network for what is there already.
# shellcheck disable=SC2086 - several words are meant
if ! dpkg -s $needed >/dev/null 2>&1; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $needed >/dev/null
fi

say "2/5 用户和文件夹"
id fawen >/dev/null 2>&1 || useradd --system --home-dir /var/lib/fawen --no-create-home --shell /usr/sbin/nologin fawen
install -d -m 0755 /opt/fawen /opt/fawen/tests
install -d -m 0750 -o root -g fawen /etc/fawen
install -d -m 0700 -o fawen -g fawen /var/lib/fawen /var/lib/fawen-backup
install -d -m 0700 /etc/nginx/fawen

say "3/5 程序，放在 /opt/fawen"
# The libraries are made ready beside the old ones: if a download fails, the old program is still whole.
venv=/opt/fawen/.venv
fresh=
rm -rf $venv.new
if [ "$(cat $venv/.installed-from 2>/dev/null)" != "$(sha256sum locks/runtime.txt | cut -d ' ' -f 1)" ] \
    || ! $venv/bin/python -c 'import aiohttp, numpy' 2>/dev/null; then
    # The system's own Python: one in somebody's home could not be run by the service's user.
    PYTHON=${PYTHON:-/usr/bin/python3} sh tools/setup.sh runtime $venv.new
    fresh=yes
fi
# A damaged package must not replace a program that works.
PYTHONDONTWRITEBYTECODE=1 "$venv${fresh:+.new}/bin/python" -m bot --help >/dev/null
for part in bot knowledge deploy locks tools tests/__init__.py tests/platform; do
    rm -rf "/opt/fawen/$part.new"
    cp -R "$part" "/opt/fawen/$part.new"
    rm -rf "/opt/fawen/$part"
    mv "/opt/fawen/$part.new" "/opt/fawen/$part"
done
if [ "$fresh" ]; then
    rm -rf $venv
    mv $venv.new $venv
fi
chown -R root:root /opt/fawen
chmod -R u=rwX,go=rX /opt/fawen
$venv/bin/python -m compileall -q /opt/fawen/bot /opt/fawen/knowledge /opt/fawen/tests

say "4/5 设置，放在 /etc/fawen（已有的不动）"
put_once 0640 fawen /etc/fawen/fawen.toml deploy/fawen.example.toml
put_once 0640 fawen /etc/fawen/locality.toml deploy/locality.example.toml
put_once 0644 root /etc/nginx/sites-available/fawen deploy/nginx.conf

say "5/5 系统服务和命令"
install -m 0644 deploy/fawen.service deploy/fawen-backup.service deploy/fawen-backup.timer /etc/systemd/system/
install -m 0755 deploy/fawen.sh /usr/local/bin/fawen
install -m 0755 deploy/check.sh /usr/local/bin/fawen-check
if with_systemd; then
    systemctl daemon-reload
    if [ "$running" ]; then
        # The settings may name another port than the default.
        port=$(fawen settings | sed -n 's/^http\.port = \([0-9]*\).*/\1/p')
        systemctl restart fawen
        until curl --silent --fail --output /dev/null "http://127.0.0.1:$port/readyz"; do
            waited=$((${waited:-0} + 1))
            if [ "$waited" -gt 60 ]; then
                echo "新版本一分钟还没有起来。看 journalctl -u fawen -n 30；急着用就拿旧的程序包再装一次。" >&2
                exit 1
            fi
            sleep 1
        done
        echo "法问已换成新版本并重新启动。请运行 fawen-check 看一遍。"
        exit 0
    fi
fi
echo "装好了。下一步照 /opt/fawen/deploy/上线手册.md 填设置。"
