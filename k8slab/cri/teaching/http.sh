# One HTTP request on standard input, one answer on standard output: what the teaching servers share.
# Each connection runs its handler in a process of its own, started by `nc -ll -e`; file 3 is the server's log.

read_request() { # sets method, target, path, query, agent
    IFS=' ' read -r method target version || exit 0
    agent=- cr=$(printf '\r')
    while IFS= read -r line; do
        line=${line%"$cr"}
        [ -n "$line" ] || break
        case $line in [Uu]ser-[Aa]gent:*) agent=${line#*: } ;; esac
    done
    path=${target%%\?*} query=
    case $target in *\?*) query=${target#*\?} ;; esac
}

param() { # param NAME DEFAULT: the value of a query parameter, percent-decoded
    value=$(printf '%s' "$query" | tr '&' '\n' | sed -n "s/^$1=//p" | head -n 1)
    printf '%b' "$(printf '%s' "${value:-$2}" | sed 's/+/ /g; s/%\([0-9A-Fa-f][0-9A-Fa-f]\)/\\x\1/g')"
}

peer() { # the client's address and port: the kernel knows whose socket standard input is
    inode=$(readlink /proc/self/fd/0 | tr -dc 0-9)
    address=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v inode="$inode" '$10 == inode { print $3; exit }')
    port=${address#*:} address=${address%:*}
    address=$(printf '%s' "$address" | tail -c 8)
    [ -n "$address" ] || return 0
    a=${address%??????} b=${address%????} c=${address%??}
    printf '%d.%d.%d.%d:%d' "0x${address#??????}" "0x${c#????}" "0x${b#??}" "0x$a" "0x$port"
}

reply() { # reply "200 OK" TYPE FILE [HEADER]
    printf 'HTTP/1.1 %s\r\nDate: %s\r\n' "$1" "$(date -u '+%a, %d %b %Y %H:%M:%S GMT')"
    [ -z "$4" ] || printf '%s\r\n' "$4"
    printf 'Content-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n' "$2" "$(wc -c <"$3")"
    [ "$method" = HEAD ] || cat "$3"
}

say() { # say "200 OK" TEXT [TYPE]
    file=$(mktemp)
    printf '%s' "$2" >"$file"
    reply "$1" "${3:-text/plain; charset=utf-8}" "$file"
    rm -f "$file"
}
