#!/usr/bin/env bash
# Checks every manual page with mandoc, which must report nothing.
set -euo pipefail

type mandoc >/dev/null 2>&1 || { echo 'mandoc is not installed'; exit 127; }
"$SESKEY" man --dir pages
[[ $(find pages -name '*.1' | wc -l) -gt 15 ]]
said=$(mandoc -T lint -W all pages/*.1 2>&1) || true
[[ -z $said ]] || { echo "$said"; exit 1; }
# each page is formatted, and each page that another names exists
for page in pages/*.1; do
  mandoc -T ascii "$page" >"$page.txt"
done
mandoc -T ascii pages/*.1 | sed 's/.\x08//g' | grep --only-matching --extended-regexp 'seskey[a-z-]*\(1\)' | sort --unique |
  while read -r name; do [[ -f pages/${name%(1)}.1 ]] || { echo "$name is named and is not there"; exit 1; }; done
