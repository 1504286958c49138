#!/usr/bin/env python3
"""Writes a wheel (PEP 427) that holds the binary as its only script, with the dates of SOURCE_DATE_EPOCH.

    packaging/wheel.py TREE VERSION PLATFORM FOLDER

PLATFORM is a tag such as manylinux_2_17_x86_64; an empty one stands for this machine's glibc.
"""

import base64
import hashlib
import os
import pathlib
import sys
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent

METADATA = """\
Metadata-Version: 2.4
Name: seskey
Version: {version}
Summary: Amazon SES SMTP credentials, and a local Amazon SES
License-Expression: MIT OR Apache-2.0
License-File: LICENSE-APACHE
License-File: LICENSE-MIT
License-File: THIRD-PARTY-LICENSES
Project-URL: Source, https://github.com/seskey/seskey
Description-Content-Type: text/markdown

{description}"""

WHEEL = """\
Wheel-Version: 1.0
Generator: packaging/wheel.py
Root-Is-Purelib: false
Tag: py3-none-{platform}
"""


def main():
    tree, version, platform, folder = sys.argv[1:]
    tree, platform = pathlib.Path(tree), platform or "linux_x86_64"
    info = f"seskey-{version}.dist-info"
    description = (HERE / "registry.md").read_text()
    files = {f"seskey-{version}.data/scripts/seskey": (tree / "seskey").read_bytes()}
    for name in ("LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY-LICENSES"):
        files[f"{info}/licenses/{name}"] = (tree / name).read_bytes()
    files[f"{info}/sboms/seskey.cdx.json"] = (tree / "seskey.cdx.json").read_bytes()
    files[f"{info}/METADATA"] = METADATA.format(version=version, description=description).encode()
    files[f"{info}/WHEEL"] = WHEEL.format(platform=platform).encode()
    record = f"{info}/RECORD"
    rows = [f"{name},sha256={digest(content)},{len(content)}" for name, content in files.items()]
    files[record] = "\n".join([*rows, f"{record},,", ""]).encode()
    write(pathlib.Path(folder, f"seskey-{version}-py3-none-{platform}.whl"), files)


def digest(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def write(path, files):
    date = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date)
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = 0o755 if "/scripts/" in name else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            wheel.writestr(entry, content)


if __name__ == "__main__":
    main()
