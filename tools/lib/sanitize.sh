# The tests under a sanitizer, in a build of its own. Sourced by tools/test, after setup.sh; does nothing alone.

# Tests that a sanitizer has nothing to say about, or that it makes too slow for the time that they have.
skipped_tests() {
    case $1 in
        # One thread computes, for as long as it can.
        thread) echo DeviceQueryTests ;;
    esac
}

# Builds and runs the tests with `thread` or `address`; further arguments choose tests.
run_sanitized() {
    local sanitizer=$1 scratch=.build/sanitize-$1 bin
    shift
    local build=(swift build --build-tests --scratch-path "$scratch" --sanitize "$sanitizer")
    "${build[@]}" </dev/null
    bin=$("${build[@]}" --show-bin-path)
    if [ $# -eq 0 ]; then
        local skipped
        for skipped in $(skipped_tests "$sanitizer"); do set -- "$@" --skip "$skipped"; done
    fi
    # Two at a time: what runs slower by an order of magnitude is not to wait for much else besides.
    set -- --experimental-maximum-parallelization-width 2 "$@"
    # Tests that look at how much memory a process has leave that be.
    export ROLLCALL_SANITIZER=$sanitizer
    case $sanitizer in
        thread)
            clang_of_swift -O2 -shared -fPIC -o "$scratch/thread-sanitizer-mutex.so" \
                "$root/tools/lib/thread-sanitizer-mutex.c"
            export TSAN_OPTIONS="halt_on_error=1 suppressions=$root/tools/lib/thread-sanitizer.supp"
            LD_PRELOAD=$root/$scratch/thread-sanitizer-mutex.so run_tests "$bin" "$@"
            ;;
        address)
            # What lives as long as the process is no leak, but where an enumeration keeps bits in its pointer it looks like one.
            export ASAN_OPTIONS=detect_leaks=0
            run_tests "$bin" "$@"
            ;;
    esac
}

run_tests() {
    local bin=$1
    shift
    "$bin/rollcallPackageTests.xctest" --testing-library swift-testing "$@" </dev/null
}

# The C compiler that came with Swift, which knows Swift's way of calling.
clang_of_swift() {
    "$(dirname "$(readlink -f "$(command -v swift)")")/clang" "$@"
}
