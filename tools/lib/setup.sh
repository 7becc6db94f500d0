# What every command here needs before it can build: packages and a Swift toolchain. Sourced by bash; does nothing alone.
#
#   . "$root/tools/lib/setup.sh"
#   set_up                      # or: set_up python3, for a command that needs more than the build does

# Ends the command with a sentence on stderr.
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# The comment at the head of the calling script, which is its help.
show_help() {
    sed -n '2,/^[^#]/ { /^#/ !q; s/^# \{0,1\}//; p; }' "$0"
}

# Installs what is missing, then checks the toolchain. Further commands that the caller needs may be named.
set_up() {
    install_packages "$@"
    require_swift
}

# Asks for what is missing rather than for packages, so that another system that has it all is not held up.
install_packages() {
    local command packages=()
    command -v pkg-config >/dev/null || packages+=(pkg-config)
    pkg-config --exists libprotobuf-c 2>/dev/null || packages+=(libprotobuf-c-dev)
    command -v protoc-c >/dev/null || packages+=(protobuf-c-compiler)
    pkg-config --exists sqlite3 2>/dev/null || packages+=(libsqlite3-dev)
    for command in "$@"; do
        command -v "$command" >/dev/null || packages+=("$command")
    done
    # Without pkg-config the two libraries could not be asked for; apt leaves alone what is there.
    apt_install "${packages[@]}"
}

# PostgreSQL's server and its client library, for tools/bench alone. Debian would start a server of its own with them.
install_postgres() {
    local drop_in=/etc/postgresql-common/createcluster.d/rollcall-bench.conf status=0
    pkg-config --exists libpq 2>/dev/null || apt_install libpq-dev
    if command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; then return; fi
    if command -v apt-get >/dev/null && can_be_root; then
        as_root mkdir -p "${drop_in%/*}"
        echo 'create_main_cluster = false' | as_root tee "$drop_in" >/dev/null
    fi
    (apt_install postgresql) || status=$?
    if [ -e "$drop_in" ]; then as_root rm "$drop_in"; fi
    return "$status"
}

# gRPC for C++ and its compiler, for tools/bench alone.
install_grpc() {
    local packages=()
    command -v c++ >/dev/null || packages+=(g++)
    pkg-config --exists grpc++ 2>/dev/null || packages+=(libgrpc++-dev)
    apt_install "${packages[@]}"
}

# Installs these Debian packages, if any.
apt_install() {
    if [ $# -eq 0 ]; then return; fi
    if ! command -v apt-get >/dev/null; then
        fail "missing: $* (by their Debian names). Install them and run this again."
    elif ! can_be_root; then
        fail "packages are missing and this is not root. Run this line as root, then run this again:

    apt-get install -y --no-install-recommends $*
"
    fi
    echo "Installing $*"
    # The package lists of a fresh machine are empty or old: only then is it worth fetching them.
    as_root apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1 </dev/null && return
    as_root apt-get update -qq </dev/null || fail "apt-get update failed; its own words are above."
    as_root apt-get install -y --no-install-recommends -qq "$@" >/dev/null </dev/null \
        || fail "apt could not install the packages; its own words are above."
}

# Without a terminal nobody can type a password, so sudo must do without.
can_be_root() {
    [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }
}

# Runs a command as root, which asks no questions.
as_root() {
    local sudo=(sudo)
    if [ "$(id -u)" -eq 0 ]; then sudo=(); fi
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive "$@"
}

# Swift 6.2 builds this package; what is older lacks language features that it uses.
require_swift() {
    local version=
    if command -v swift >/dev/null; then
        version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    fi
    if [ -n "$version" ] && printf '6.2\n%s\n' "$version" | sort -V -C; then return; fi
    fail "${version:+Swift $version is too old; }a Swift toolchain of version 6.2 or newer is needed, best 6.3.
Get one from https://www.swift.org/install/linux/ (with swiftly: 'swiftly install 6.3'), see that 'swift --version'
answers in this shell, and run this again."
}

# Builds the two programs, or the products that are named, for release and sets `bin` to the folder that holds them.
#
# On a terminal the compiler shows how far it is; elsewhere it is heard only if it fails.
build_release() {
    local product log="$root/.build/release-build.log"
    mkdir -p "$root/.build"
    if [ $# -eq 0 ]; then set -- rollcalld rollcall; fi
    for product in "$@"; do
        if [ -t 1 ]; then
            swift build --package-path "$root" -c release --product "$product" || fail "the release build failed."
        elif ! swift build --package-path "$root" -c release --product "$product" >"$log" 2>&1 </dev/null; then
            grep -E '(error|warning): ' "$log" >&2 || tail -n 30 "$log" >&2
            fail "the release build failed; all of its output is in $log."
        fi
    done
    bin=$(swift build --package-path "$root" -c release --show-bin-path)
}
