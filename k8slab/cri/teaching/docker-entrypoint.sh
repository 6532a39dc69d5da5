#!/bin/sh
# nginx's entrypoint script: configures, then becomes nginx.
cat <<'LINES'
/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration
/docker-entrypoint.sh: Looking for shell scripts in /docker-entrypoint.d/
/docker-entrypoint.sh: Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh
10-listen-on-ipv6-by-default.sh: info: Getting the checksum of /etc/nginx/conf.d/default.conf
10-listen-on-ipv6-by-default.sh: info: Enabled listen on IPv6 in /etc/nginx/conf.d/default.conf
/docker-entrypoint.sh: Launching /docker-entrypoint.d/20-envsubst-on-templates.sh
/docker-entrypoint.sh: Launching /docker-entrypoint.d/30-tune-worker-processes.sh
/docker-entrypoint.sh: Configuration complete; ready for start up
LINES
for line in 'using the "epoll" event method' "nginx/$(cat /k8slab/version)" "start worker processes" "start worker process 29"; do
    echo "$(date -u '+%Y/%m/%d %H:%M:%S') [notice] 1#1: $line" >&2
done
exec "$@"
