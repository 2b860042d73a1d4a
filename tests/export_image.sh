#!/bin/bash
# export_image.sh SOURCE BUILD: by hand, not by ctest: an image is built from what `conform export docker` writes, without an
# engine: buildah in a chroot, on a bare Debian of mmdebstrap. It needs root, the network, and about two minutes.
set -eu
conform=$2/conform
for tool in buildah mmdebstrap git; do
    command -v $tool > /dev/null || { echo "export_image: skipped: $tool is not installed"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo 'export_image: skipped: only root can make a base image'; exit 77; }
library=$(find /usr/lib -path '*/openblas-pthread/libopenblasp-r*.so' | head -n 1)
[ -n "$library" ] || { echo 'export_image: skipped: libopenblas0-pthread is not installed'; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/r"
cd "$dir/r"
git init -q .
"$conform" fetch -q openblas-0.3.29
"$conform" lock -q --case 'dot f64 m=1 n=16 fill=integer' --repeat 2 --configuration 'openblas-0.3.29 threads=1' \
    --configuration "blas lib=$library threads=1"
"$conform" export requirements > requirements.txt
python3 -m pip install -q --dry-run --require-hashes --no-deps -r requirements.txt
mmdebstrap --variant=minbase --include=ca-certificates "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$dir/base.tar" 2> "$dir/log"
engine() { buildah --root "$dir/images" --runroot "$dir/run" --storage-driver vfs "$@"; }
base=$(engine from scratch)
engine add -q "$base" "$dir/base.tar" / > "$dir/log"
engine commit -q "$base" localhost/base > "$dir/log"
{ echo 'FROM localhost/base'; "$conform" export docker; } > Dockerfile
mounts=(-v /etc/ssl/certs:/etc/ssl/certs:ro -v /etc/apt:/etc/apt:ro)
[ -e /etc/pip.conf ] && mounts+=(-v /etc/pip.conf:/etc/pip.conf:ro)
image() { engine bud -q --isolation chroot --network host "${mounts[@]}" -f "$1" . > "$dir/log" 2>&1; }
image Dockerfile || { tail -n 20 "$dir/log"; echo 'export_image: no image comes of the fragment'; exit 1; }
# Another digest of a file, and the build has to stop at its check.
sed "s/^      '[0-9a-f]/      '_/" Dockerfile > Other
image Other && { echo 'export_image: an image with other files is built'; exit 1; }
grep -q 'sha256sum\|checksum' "$dir/log" || { tail -n 5 "$dir/log"; echo 'export_image: it does not stop at the check'; exit 1; }
echo "export_image: built by $(buildah --version | cut -d' ' -f1-3), and refused with another digest"
