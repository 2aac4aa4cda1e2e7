#!/bin/sh
# Builds the kube-apiserver that test/kubernetes runs, of Debian's source package: bookworm's 1.20, which is what its Go can build.
# Takes 8 minutes on two cpus and 4 GB of disk for as long. Does nothing when the binary is there. Needs root for the packages.
#   scripts/build-kube-apiserver.sh [FOLDER TO BUILD IN]
set -eu

cache=${XDG_CACHE_HOME:-$HOME/.cache}/strata/kubernetes
binary=${STRATA_KUBE_APISERVER:-$cache/kube-apiserver}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

if [ -x "$binary" ]; then
  echo "$binary is there"
  exit 0
fi

if [ $# -gt 0 ]; then
  work=$1
  mkdir -p "$work"
else
  work=$(mktemp -d)
  # The module cache of Go is read-only.
  trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
fi
cd "$work"

# A list of its own: the machine's need not have sources, and is not changed.
mkdir -p lists/partial
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm main" >sources.list
with_sources() {
  apt-get -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$work/lists" "$@"
}
apt-get install -y -qq --no-install-recommends golang-go etcd-server rsync jq dpkg-dev make
with_sources update -qq
with_sources source -qq --download-only kubernetes
[ -d source ] || dpkg-source -x kubernetes_*.dsc source

# Built as of old, below GOPATH: the package brings all it depends on.
mkdir -p go/src/k8s.io
ln -sfn "$work/source" go/src/k8s.io/kubernetes
export GOPATH="$work/go" GO111MODULE=off GOCACHE="$work/go-cache"
make -C go/src/k8s.io/kubernetes WHAT=cmd/kube-apiserver

mkdir -p "$(dirname "$binary")"
built=$(find "$work/source/_output" "$work/go/src/k8s.io/kubernetes/_output" -name kube-apiserver -type f | head -n 1)
install -m 755 "$built" "$binary.new"
mv "$binary.new" "$binary"
echo "built $binary"
