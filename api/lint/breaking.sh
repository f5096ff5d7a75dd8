#!/bin/sh
# Compares api/openapi.yaml with that of the last tag before this commit. A change that breaks clients fails it.
#
#   OASDIFF  the command that compares, by default bin/oasdiff, which deploy/setup.sh lint installs
set -eu
root=$(git rev-parse --show-toplevel 2>/dev/null) || {
    echo 'There is no Git repository: the contract is compared with no release.'
    exit 0
}
cd "$root"
tag=$(git describe --tags --abbrev=0 2>/dev/null) || {
    echo 'There is no tag yet: the contract is compared with no release.'
    exit 0
}
released=$(mktemp)
trap 'rm -f "$released"' EXIT
git show "$tag:api/openapi.yaml" >"$released" 2>/dev/null || {
    echo "There is no contract in $tag: the contract is compared with no release."
    exit 0
}
echo "Changes since $tag that break clients:"
"${OASDIFF:-bin/oasdiff}" breaking --fail-on ERR "$released" api/openapi.yaml
