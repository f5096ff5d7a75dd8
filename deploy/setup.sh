#!/bin/sh
# Installs what a machine lacks to build and run WatchParty, and nothing that it has.
#
#   setup.sh run     what `make run` needs: libvips, Postgres, Redis, the temporal command
#   setup.sh test    and, for the tests, a browser, a connection pooler, and Node with the TypeScript client's packages
#   setup.sh bench   what `make run` needs, and what the program is compared with: vipsthumbnail, nginx, servers in Node
#   setup.sh lint    the linters, and the generators of code
set -eu
cd "$(dirname "$0")/.."

# Newer ones cannot be installed with go install: their go.mod has a replace.
TEMPORAL=v1.5.1 # with server 1.29.1 and UI 2.42.1. docker-compose.yml has the same.
GOLANGCI=v2.15.0
WORKFLOWCHECK=v0.6.0
OAPI_CODEGEN=v2.8.2
OASDIFF=v1.37.0

say() { printf '%s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

has_postgres() {
    has postgres && return 0
    for file in /usr/lib/postgresql/*/bin/postgres /opt/homebrew/opt/postgresql@*/bin/postgres \
        /usr/local/opt/postgresql@*/bin/postgres; do
        [ -x "$file" ] && return 0
    done
    return 1
}
has_vips() { has pkg-config && pkg-config --exists 'vips >= 8.14'; }
has_nginx() { has nginx || [ -x /usr/sbin/nginx ]; }
has_pooler() { has pgbouncer || [ -x /usr/sbin/pgbouncer ]; }
has_browser() { has chromium || has chromium-browser || has google-chrome || [ -d '/Applications/Google Chrome.app' ]; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif has sudo; then sudo "$@"; else
        say "Not root and no sudo. As root, run: $*"
        exit 1
    fi
}

# missing KIND prints the packages that are missing, by the names of the package manager KIND.
missing() {
    has pkg-config || case $1 in apt) echo pkg-config ;; brew) echo pkgconf ;; esac
    has_vips || case $1 in apt) echo libvips-dev ;; brew) echo vips ;; esac
    has_postgres || case $1 in apt) echo postgresql ;; brew) echo postgresql@17 ;; esac
    has redis-server || case $1 in apt) echo redis-server ;; brew) echo redis ;; esac
    [ "$what" != bench ] || has vipsthumbnail || case $1 in apt) echo libvips-tools ;; brew) echo vips ;; esac
    [ "$what" != bench ] || has wrk || echo wrk
    [ "$what" != bench ] || has_nginx || echo nginx
    [ "$what" != test ] || has_pooler || echo pgbouncer
    [ "$what" != test ] || has_browser || case $1 in apt) echo chromium ;; brew) echo google-chrome ;; esac
    [ "$what" = run ] || has npm || case $1 in apt) echo npm ;; brew) echo node ;; esac
}

install_with_apt() {
    # Without this Debian starts a database of its own on port 5432, which nobody here uses.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        as_root mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    has redis-server || redis_is_new=yes
    has_nginx || nginx_is_new=yes
    has_pooler || pooler_is_new=yes
    as_root apt-get -o DPkg::Lock::Timeout=300 update -q
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -q -y \
        --no-install-recommends -o Dpkg::Options::=--force-confold ca-certificates "$@"
    [ -z "${redis_is_new:-}" ] || ! has redis-server || stop_service redis-server
    [ -z "${nginx_is_new:-}" ] || ! has_nginx || stop_service nginx
    [ -z "${pooler_is_new:-}" ] || ! has_pooler || stop_service pgbouncer
}

# stop_service NAME stops a server that Debian has started because it was installed, now and for later boots. WatchParty
# starts its own.
stop_service() {
    if has systemctl && as_root systemctl disable --now "$1.service" >/dev/null 2>&1; then return 0; fi
    if has service; then as_root service "$1" stop >/dev/null 2>&1 || true; fi
}

# find_packages sets packages to those that are missing.
find_packages() {
    if has brew && ! has apt-get; then kind=brew; else kind=apt; fi
    # shellcheck disable=SC2046 # one word for each package
    set -- $(missing $kind)
    packages=$*
    if [ -z "$packages" ] || has apt-get || has brew; then return 0; fi
    say "Install these by your system's package manager (Debian's names), then try again: $packages"
    exit 1
}

install_packages() {
    [ -n "$packages" ] || return 0
    say "installing: $packages"
    # shellcheck disable=SC2086 # one word for each package
    if [ $kind = apt ]; then install_with_apt $packages; else brew install $packages; fi
}

# announce says what this machine lacks and what will be done about it, before anything is done.
announce() {
    lacks_temporal=
    [ "$what" = lint ] || has temporal || has_tool temporal $TEMPORAL || lacks_temporal=yes
    [ -n "$packages$lacks_temporal" ] || return 0
    say 'This machine lacks what WatchParty needs. The next steps, without further questions:'
    if [ -n "$packages" ]; then
        say "  - install with $kind: $packages"
        if [ $kind = apt ]; then
            say '    (as root; no Postgres cluster is made, and no installed service is left running)'
        fi
    fi
    [ -z "$lacks_temporal" ] || say "  - build bin/temporal $TEMPORAL, once; this takes minutes"
    [ "$what" != run ] || say '  - build bin/watchparty. Its data will be in .watchparty/, and make clean removes both'
}

has_tool() { [ -x "bin/$1" ] && go version -m "bin/$1" | grep -q "mod.*$2"; }

# go_tool NAME MODULE VERSION installs a Go program into bin/ unless that version is there.
go_tool() {
    if has_tool "$1" "$3"; then return 0; fi
    say "building bin/$1 $3 (once${4:-})"
    GOBIN="$PWD/bin" GOFLAGS='' go install "$2@$3"
}

# node_packages FOLDER installs what its lock file says, unless that is there.
node_packages() {
    if cmp -s "$1/package-lock.json" "$1/node_modules/.installed"; then return 0; fi
    say "installing Node packages in $1 (once)"
    npm ci --prefix "$1" --no-audit --no-fund --loglevel=error >&2
    cp "$1/package-lock.json" "$1/node_modules/.installed"
}

has go || { say 'Install Go 1.26 or newer: https://go.dev/doc/install'; exit 1; }
what=${1:-run}
case $what in
run | test | bench | lint)
    find_packages
    announce
    install_packages
    ;;
*)
    say "usage: $0 run|test|bench|lint"
    exit 1
    ;;
esac
case $what in
run | test | bench)
    if [ "$what" = test ]; then
        node_packages clients/typescript
        node_packages e2e/client
        go_tool oasdiff github.com/oasdiff/oasdiff $OASDIFF
    fi
    if [ "$what" = bench ]; then
        node_packages bench/cached/peers
    fi
    has temporal || go_tool temporal github.com/temporalio/cli/cmd/temporal $TEMPORAL '; this takes minutes: it is the whole Temporal server'
    ;;
lint) # the packages above are for the code that is compiled with libvips
    node_packages clients/typescript
    node_packages api/lint
    go_tool oasdiff github.com/oasdiff/oasdiff $OASDIFF
    go_tool oapi-codegen github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen $OAPI_CODEGEN
    go_tool golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint $GOLANGCI '; this takes minutes'
    go_tool workflowcheck go.temporal.io/sdk/contrib/tools/workflowcheck $WORKFLOWCHECK
    ;;
esac
