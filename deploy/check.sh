#!/bin/sh
# `fawen-check [DOMAIN]`: walks the way a message of the platform takes and says in which place it ends.
# Installed by deploy/install.sh. Changes nothing, prints no secret.
set -u
[ "$(id -u)" = 0 ] || exec sudo "$0" "$@"
umask 077
domain=${1:-}
failed=0

good() { printf '  好    %s\n' "$1"; }
bad() { printf '  不行  %s\n        %s\n' "$1" "$2"; failed=$((failed + 1)); }
setting() {
    (cd /etc/fawen && PYTHONPATH=/opt/fawen PYTHONDONTWRITEBYTECODE=1 /opt/fawen/.venv/bin/python -c "
from bot.settings import read_settings
settings = read_settings()
print(settings.wechat.token.get_secret_value() if '$1' == 'token' else settings.http.port)" 2>&1)
}
signed() { # the query the platform would send, for token $1
    now=$(date +%s)
    signature=$(printf '%s\n' "$1" "$now" check | LC_ALL=C sort | tr -d '\n' | sha1sum | cut -d ' ' -f 1)
    printf 'signature=%s&timestamp=%s&nonce=check&echostr=fawen-echo' "$signature" "$now"
}
fetch() { curl --silent --show-error --max-time 5 "$@" 2>&1; }

echo "一、设置"
if port=$(setting port); then
    good "/etc/fawen/fawen.toml 读得懂"
else
    bad "/etc/fawen/fawen.toml 有错" "$(printf '%s' "$port" | tail -n 1)"
    exit 1
fi
token=$(setting token)
if [ -n "$token" ]; then good "公众号已设置"; else bad "公众号没有设置" "在 [wechat] 一节填 token 等四项"; fi

echo "二、法问本身"
if fetch --fail "http://127.0.0.1:$port/readyz" >/dev/null; then
    good "在运行，数据库能写"
else
    bad "没有运行，或者数据库不能写" "看 systemctl status fawen 和 journalctl -u fawen -n 50"
fi
if [ -n "$token" ]; then
    if [ "$(fetch "http://127.0.0.1:$port/wechat?$(signed "$token")")" = fawen-echo ]; then
        good "认得用设置里的 token 签的名"
    else
        bad "不认设置里的 token" "改过设置以后要重启：systemctl restart fawen"
    fi
fi

echo "三、时间和到平台的路"
theirs=$(fetch --head https://api.weixin.qq.com/ | tr -d '\r' | sed -n 's/^[Dd]ate: //p')
if [ -z "$theirs" ]; then
    bad "连不上 api.weixin.qq.com" "晚到的答复和菜单都要走这条路，请网管放行到它的 443 端口"
else
    skew=$(($(date +%s) - $(date -d "$theirs" +%s)))
    if [ "${skew#-}" -le 60 ]; then
        good "连得上 api.weixin.qq.com，时间相差 ${skew#-} 秒"
    else
        bad "本机时间差了 ${skew#-} 秒" "打开自动对时：timedatectl set-ntp true"
    fi
fi

if [ -z "$domain" ]; then
    echo "四、域名（没有查；要查请写： fawen-check 您的域名）"
else
    echo "四、域名 $domain"
    if address=$(getent ahosts "$domain" | awk 'NR == 1 { print $1 }') && [ -n "$address" ]; then
        good "解析到 $address（请核对是不是本机的公网地址）"
    else
        bad "域名解析不到地址" "在域名服务商处加一条 A 记录，指向本机公网地址"
    fi
    here="--resolve $domain:443:127.0.0.1"
    # shellcheck disable=SC2086 - two words are meant
    said=$(fetch $here "https://$domain/wechat?$(signed "$token")")
    if [ "$said" = fawen-echo ]; then
        good "从本机经 nginx 和证书走得通"
    else
        bad "从本机经 nginx 走不通" "$(printf '%s' "$said" | tr -d '\n' | cut -c 1-120)"
    fi
    said=$(fetch "https://$domain/wechat?$(signed "$token")")
    if [ "$said" = fawen-echo ]; then
        good "按域名走得通"
    else
        bad "按域名走不通" "看云服务器的安全组、防火墙有没有放行 443；有的机房不许从里面访问自己的公网地址，请再用手机流量打开 https://$domain/ 试"
    fi
fi

echo
if [ "$failed" = 0 ]; then echo "都好。"; else echo "有 $failed 处不行，从上往下改，第一处改好后面的常常跟着好。"; fi
exit "$failed"
