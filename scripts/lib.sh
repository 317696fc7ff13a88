# Shared by the scripts beside it: where things are, and installing what is missing.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}

say() { printf '\n== %s\n' "$*"; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# need_debian PACKAGE... : installs those that are not there.
need_debian() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "installing ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null
}

# need_node : Node.js with npm, of whatever make: packages of Node.js from elsewhere bring their own
# npm and refuse Debian's.
need_node() {
    command -v node >/dev/null 2>&1 || need_debian nodejs
    command -v npm >/dev/null 2>&1 || need_debian npm
}

# need_cargo_tool COMMAND CRATE : installs a cargo subcommand that is not there.
need_cargo_tool() {
    command -v "$1" >/dev/null 2>&1 && return
    say "installing $2"
    cargo install --locked --quiet "$2"
}

need_rust() {
    command -v cargo >/dev/null 2>&1 || [ ! -f "$HOME/.cargo/env" ] || . "$HOME/.cargo/env"
    command -v cargo >/dev/null 2>&1 || {
        echo "Rust is missing: install it with rustup, see https://rustup.rs" >&2
        exit 1
    }
}

# need_python : a virtual environment with the AWS clients, in .venv.
need_python() {
    if ! "$root/.venv/bin/python" -c 'import boto3, awscli, websocket' 2>/dev/null; then
        say "installing the AWS clients"
        python3 -m venv "$root/.venv"
        "$root/.venv/bin/pip" install --quiet --disable-pip-version-check \
            -r "$root/tests/requirements.txt"
    fi
}

# need_players : what plays in the browser, in tests/players/node_modules.
need_players() {
    local players=$root/tests/players
    cmp -s "$players/package-lock.json" "$players/node_modules/.locked" && return
    say "installing the players"
    npm ci --prefix "$players" --ignore-scripts --no-audit --no-fund --silent
    cp "$players/package-lock.json" "$players/node_modules/.locked"
}

# build_console : the web page, in console/dist, when its sources are newer.
build_console() {
    local console=$root/console
    if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
        echo "The console needs Node.js 20: the server is built without it." >&2
        return
    fi
    if ! cmp -s "$console/package-lock.json" "$console/node_modules/.locked"; then
        say "installing what the console is built with"
        npm ci --prefix "$console" --ignore-scripts --no-audit --no-fund --silent
        cp "$console/package-lock.json" "$console/node_modules/.locked"
    fi
    if [ -f "$console/dist/index.html" ] && [ -z "$(find "$console" -newer "$console/dist/index.html" \
        -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/test/*' -print -quit)" ]; then
        return
    fi
    say "building the console"
    npm run build --prefix "$console" --silent
}
