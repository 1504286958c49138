#!/usr/bin/env python3
"""Writes the inventory of a binary, from the list that cargo-auditable has put into it.

    packaging/inventory.py BINARY SBOM LICENSES

SBOM is CycloneDX 1.5. LICENSES has the texts that the crates in the binary come with, each text once.
"""

import collections
import json
import pathlib
import subprocess
import sys
import tempfile
import zlib


def main():
    binary, sbom, licenses = map(pathlib.Path, sys.argv[1:])
    packages = dependencies(binary)
    crates = {(crate["name"], crate["version"]): crate for crate in metadata()["packages"]}
    document = bom(packages, crates)
    sbom.write_text(json.dumps(document, indent=2) + "\n")
    linked = [package for package in packages if package.get("kind") != "build" and package["source"] != "local"]
    licenses.write_text(license_texts(linked, crates))


def dependencies(binary):
    with tempfile.TemporaryDirectory() as folder:
        section, copy = (pathlib.Path(folder, name) for name in ("section", "copy"))
        subprocess.run(["objcopy", "--dump-section", f".dep-v0={section}", binary, copy], check=True)
        return json.loads(zlib.decompress(section.read_bytes()))["packages"]


def metadata():
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def bom(packages, crates):
    root, = (package for package in packages if package.get("root"))
    rest = [package for package in packages if package is not root]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component(root, crates, "application")},
        "components": [component(package, crates, "library") for package in rest],
        "dependencies": [
            {"ref": url(package), "dependsOn": [url(packages[index]) for index in package.get("dependencies", [])]}
            for package in packages
        ],
    }


def component(package, crates, kind):
    license = crates[package["name"], package["version"]]["license"].replace("/", " OR ")
    return {
        "type": kind,
        "bom-ref": url(package),
        "name": package["name"],
        "version": package["version"],
        # a package that only the build has run is not in the binary
        "scope": "excluded" if package.get("kind") == "build" else "required",
        "licenses": [{"expression": license}],
        "purl": url(package),
    }


def url(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def license_texts(packages, crates):
    users = collections.defaultdict(list)
    for package in packages:
        crate = crates[package["name"], package["version"]]
        folder = pathlib.Path(crate["manifest_path"]).parent
        files = sorted(file for file in folder.iterdir() if is_license(file))
        name = f"{package['name']} {package['version']} ({crate['license']})"
        for text in {file.read_text(errors="replace").strip() for file in files} or {""}:
            users[text].append(name)
    none = users.pop("", [])
    chapters = [f"{', '.join(names)}\n\n{text}" for text, names in users.items()]
    chapters.sort()
    chapters.append("Without a text of their own: " + ", ".join(none))
    line = "\n\n" + "-" * 80 + "\n\n"
    return line.join(chapters) + "\n"


def is_license(file):
    return file.is_file() and file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"))


if __name__ == "__main__":
    main()
