#!/usr/bin/env bash
# Install the Debian packages of a list that are missing; without root, name them. tests/deps.sh [tests/packages.txt]
set -u
cd "$(dirname "$0")/.." || exit 1

list=${1:-tests/packages.txt}
[ -r "$list" ] || { echo "deps: no such list of packages: $list" >&2; exit 1; }
missing=()
while read -r package; do
	case "$package" in ''|'#'*) continue ;; esac
	status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)
	[ "$status" = "install ok installed" ] || missing+=("$package")
done < "$list"

[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
	echo "deps: missing packages: ${missing[*]}" >&2
	echo "deps: install them as root: apt-get install ${missing[*]}" >&2
	exit 1
fi
echo "deps: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || {
	apt-get update -qq &&
	apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
} || {
	echo "deps: apt-get could not install: ${missing[*]}" >&2
	exit 1
}
