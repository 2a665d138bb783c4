"""Makes the packages of a release: `package.py EXECUTABLE... --out DIRECTORY`.

Each executable is given as PLATFORM=PATH, such as linux_amd64=target/release/terraform-provider-foundryhub. In the
directory are then, under the names that registries want (docs/internals/protocol.md §7), a zip for each platform, the
manifest, and SHA256SUMS; and below `mirror/` the same packages as a mirror, which engines take from a file system and
over HTTPS alike. The same executables give the same bytes, wherever Python has the same zlib.
"""

import argparse
import base64
import hashlib
import json
import re
import shutil
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "terraform-provider-foundryhub"
VERSION = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
# Each engine asks for the provider by an address of its own registry.
ADDRESSES = [f"{host}/foundryhub/foundryhub" for host in ("registry.terraform.io", "registry.opentofu.org")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("executables", nargs="+", metavar="PLATFORM=PATH")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if any(arguments.out.iterdir()):
        parser.error(f"there is something in {arguments.out}")
    executables = dict(executable.split("=", 1) for executable in arguments.executables)
    packages = {platform: package(arguments.out, platform, Path(path)) for platform, path in sorted(executables.items())}
    manifest = arguments.out / f"{NAME}_{VERSION}_manifest.json"
    shutil.copyfile(ROOT / "terraform-registry-manifest.json", manifest)
    sums = [f"{sha256(file.read_bytes())}  {file.name}\n" for file in sorted(arguments.out.iterdir())]
    (arguments.out / f"{NAME}_{VERSION}_SHA256SUMS").write_text("".join(sums))
    for address in ADDRESSES:
        mirror(arguments.out / "mirror" / address, packages)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def package(out, platform, executable):
    """Packs an executable with the license."""
    suffix = ".exe" if platform.startswith("windows_") else ""
    members = {"LICENSE": (ROOT / "LICENSE", 0o644), f"{NAME}_v{VERSION}{suffix}": (executable, 0o755)}
    file = out / f"{NAME}_{VERSION}_{platform}.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, (source, mode) in sorted(members.items()):
            # Neither the time nor the system that packed it shows.
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, (0o100000 | mode) << 16
            archive.writestr(entry, source.read_bytes(), compresslevel=9)
    return file


def mirror(place, packages):
    """Lays packages out for `filesystem_mirror`, with the documents that `network_mirror` reads besides."""
    place.mkdir(parents=True)
    archives = {}
    for platform, file in packages.items():
        shutil.copyfile(file, place / file.name)
        archives[platform] = {"url": file.name, "hashes": [h1(file), f"zh:{sha256(file.read_bytes())}"]}
    (place / "index.json").write_text(json.dumps({"versions": {VERSION: {}}}, indent=2) + "\n")
    (place / f"{VERSION}.json").write_text(json.dumps({"archives": archives}, indent=2) + "\n")


def h1(file):
    """The hash of a package's content that engines write into lock files."""
    with zipfile.ZipFile(file) as archive:
        lines = [f"{sha256(archive.read(name))}  {name}\n" for name in sorted(archive.namelist())]
    return "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()


if __name__ == "__main__":
    main()
