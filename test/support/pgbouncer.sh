#!/usr/bin/env bash
# PgBouncer 1.24 or newer from Debian's source package, with all that it takes: pgbouncer.sh DIR prints the program's path.
# Debian 12 has 1.18 only, so the sources come from Debian 13, wherever this machine gets its packages.
set -euo pipefail
mkdir -p "$1"
D=$(realpath "$1")
suite=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
export DEBIAN_FRONTEND=noninteractive
exec 3>&1 4>&2 > "$D/build.log" 2>&1
trap '[ $? = 0 ] || tail -n 20 "$D/build.log" >&4' EXIT

timeout 120 apt-get -qq update
timeout 180 apt-get -qq install -y --no-install-recommends --no-upgrade \
  gcc libc6-dev make pkg-config libevent-dev libssl-dev debian-archive-keyring

mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | sort -u | head -n 1)
[ -n "$mirror" ]
mkdir -p "$D/lists/partial" "$D/cache/archives/partial" "$D/source"
echo "deb-src [signed-by=$keyring] $mirror $suite main" > "$D/sources.list"
# Its own lists: this machine's apt never hears of the other release.
apart=(
  -o "Dir::Etc::sourcelist=$D/sources.list" -o Dir::Etc::sourceparts=-
  -o "Dir::State::lists=$D/lists" -o "Dir::Cache=$D/cache"
  -o APT::Sandbox::User=root
)
timeout 120 apt-get -qq "${apart[@]}" update
(cd "$D/source" && timeout 60 apt-get -qq "${apart[@]}" source --download-only pgbouncer)
tar -xzf "$D"/source/pgbouncer_*.orig.tar.gz -C "$D/source"
cd "$D"/source/pgbouncer-*/
timeout 60 ./configure --without-cares --without-systemd --without-pam
timeout 120 make -j"$(nproc)" pgbouncer
# Where the user who runs it can read it.
install -m 755 pgbouncer "$D/pgbouncer"
echo "$D/pgbouncer" >&3
