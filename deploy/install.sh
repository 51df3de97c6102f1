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
if with_systemd && systemctl is-active --quiet fawen; then
    running=yes
    say "更新之前先备份（失败就停在这里，什么都没有动）"
    systemctl start fawen-backup
fi

say "1/5 系统软件：Python、nginx 等"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nginx python3 python3-venv curl ca-certificates openssl nano >/dev/null

say "2/5 用户和文件夹"
id fawen >/dev/null 2>&1 || useradd --system --home-dir /var/lib/fawen --no-create-home --shell /usr/sbin/nologin fawen
install -d -m 0755 /opt/fawen /opt/fawen/tests
install -d -m 0750 -o root -g fawen /etc/fawen
install -d -m 0700 -o fawen -g fawen /var/lib/fawen /var/lib/fawen-backup
install -d -m 0700 /etc/nginx/fawen

say "3/5 程序，放在 /opt/fawen"
for part in bot knowledge deploy locks tools tests/__init__.py tests/platform; do
    rm -rf "/opt/fawen/$part.new"
    cp -R "$part" "/opt/fawen/$part.new"
    rm -rf "/opt/fawen/$part"
    mv "/opt/fawen/$part.new" "/opt/fawen/$part"
done
chown -R root:root /opt/fawen
chmod -R u=rwX,go=rX /opt/fawen
# The system's own Python: one in somebody's home could not be run by the service's user.
PYTHON=${PYTHON:-/usr/bin/python3} sh /opt/fawen/tools/setup.sh runtime .venv
/opt/fawen/.venv/bin/python -m compileall -q /opt/fawen/bot /opt/fawen/knowledge /opt/fawen/tests

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
        systemctl restart fawen
        echo "法问已换成新版本并重新启动。请运行 fawen-check 看一遍。"
        exit 0
    fi
fi
echo "装好了。下一步照 /opt/fawen/deploy/上线手册.md 填设置。"
