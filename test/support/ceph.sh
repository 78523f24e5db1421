#!/usr/bin/env bash
# A real S3 server (Ceph RGW, memory only, loopback) out of Debian's packages: ceph.sh up DIR PORT | ceph.sh down DIR
set -euo pipefail
verb=$1; D=$(realpath -m "$2"); PORT=${3:-7480}; R=${CEPH_ROOT:-}   # CEPH_ROOT: where the packages were unpacked; empty when installed
L=$R/usr/lib/x86_64-linux-gnu
[ -n "$R" ] && export LD_LIBRARY_PATH=$L:$L/ceph:$R/usr/lib/ceph:$R/lib/x86_64-linux-gnu PYTHONPATH=$R/usr/lib/python3/dist-packages
export PATH=$R/usr/bin:$PATH
if [ "$verb" = down ]; then for n in rgw osd.0 mon.a; do [ -f "$D/$n.pid" ] && kill -9 "$(cat "$D/$n.pid")" 2>/dev/null || true; done; exit 0; fi   # memory only: nothing to flush
rm -rf "$D"; mkdir -p "$D"/{mon,osd,rgw}; F=$(cat /proc/sys/kernel/random/uuid); O=$(cat /proc/sys/kernel/random/uuid)
cat > "$D/ceph.conf" <<C
[global]
fsid = $F
mon host = v1:127.0.0.1:$((PORT + 1))
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 1073741824
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = $D
admin socket = $D/\$name.asok
log file = $D/\$name.log
pid file = $D/\$name.pid
plugin dir = $L/ceph
erasure code dir = $L/ceph/erasure-code
osd class dir = $L/rados-classes
keyring = $D/keyring
mon data avail warn = 1
mon data avail crit = 1
mon data = $D/mon
osd data = $D/osd
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:$PORT
rgw data = $D/rgw
C
c=(-c "$D/ceph.conf" -k "$D/keyring")
ceph-authtool --create-keyring "$D/keyring" --gen-key -n mon. --cap mon 'allow *' > /dev/null
monmaptool --create --fsid "$F" --addv a "[v1:127.0.0.1:$((PORT + 1))]" "$D/monmap" > /dev/null
ceph-mon "${c[@]}" -i a --mkfs --monmap "$D/monmap"
ceph-mon "${c[@]}" -i a
ceph-osd "${c[@]}" -i 0 --mkfs --osd-uuid "$O" > "$D/mkfs.log" 2>&1
"$R/usr/bin/ceph" "${c[@]}" osd new "$O" 0 > /dev/null 2>&1
"$R/usr/bin/ceph" "${c[@]}" osd crush add osd.0 1 host=h root=default > /dev/null 2>&1
ceph-osd "${c[@]}" -i 0 > /dev/null 2>&1
radosgw "${c[@]}" -n client.rgw --no-mon-config -f > "$D/rgw.out" 2>&1 & echo $! > "$D/rgw.pid"
for _ in $(seq 1 120); do (echo > "/dev/tcp/127.0.0.1/$PORT") 2>/dev/null && break; sleep 0.25; done
radosgw-admin "${c[@]}" user create --uid=dev --display-name=dev --access-key=local --secret-key=local-secret > /dev/null 2>&1
echo "http://127.0.0.1:$PORT"
