# Read by the other scripts here: the folder where packaging/build has put the packages.
here=$(realpath "$(dirname "$0")")
packages=$(realpath --canonicalize-missing "$here/../../../target/packages")
absent() { echo "$1"; exit 127; }
[[ -e $packages/SHA256SUMS ]] || absent "the packages are not made: packaging/build"
needs() { for program; do [[ -x $(command -v "$program") ]] || absent "$program is not installed"; done; }
