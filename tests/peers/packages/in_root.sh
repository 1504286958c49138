#!/usr/bin/env bash
# Installs a package in a root directory, uses it, and removes it: nothing is left of it.
#   in_root.sh ROOT PACKAGE
set -euo pipefail
root=$1 package=$2

# dpkg and rpm keep records of their own
files() { find "$root" -xdev -not -path "$root/var/lib/rpm*" -not -path "$root/var/lib/dpkg*" -not -path "$root/var/log/*" | sort; }

rpm() { command rpm --root "$root" --dbpath /var/lib/rpm "$@"; }

cp "$package" "$root/tmp/"
# the distributions that have rpm have this folder
mkdir --parents "$root/usr/share/licenses"
before=$(files)
case $package in
  *.deb) chroot "$root" dpkg --install "/tmp/${package##*/}" ;;
  # Debian has what the package requires, but not in the database of rpm
  *.rpm) rpm --install --nodeps "$package" && rpm --verify --nodeps seskey ;;
esac
chroot "$root" seskey --version
chroot "$root" seskey demo
for file in bin/seskey lib/systemd/system/seskey-local.service share/man/man1/seskey.1.gz \
  share/bash-completion/completions/seskey share/fish/vendor_completions.d/seskey.fish; do
  [[ -s $root/usr/$file ]]
done
systemd-analyze verify --man=no --root="$root" seskey-local.service seskey-apply.service seskey-apply.timer
case $package in
  *.deb) chroot "$root" dpkg --purge seskey ;;
  *.rpm) rpm --erase --nodeps seskey ;;
esac
diff <(echo "$before") <(files)
