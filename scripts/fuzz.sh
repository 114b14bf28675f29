#!/usr/bin/env bash
# Runs every native fuzz target of the repository, one after the other, as long as
# the first argument says: a number of executions, as 100000x, or a time. A crash
# leaves its input under the package's testdata/fuzz, where `go test` finds it from
# then on. The Makefile says executions because Go before 1.27 sometimes takes the end
# of a time for a failure, "context deadline exceeded": golang.org/issue/75804.
set -euo pipefail
cd "$(dirname "$0")/.."
budget=$1

mapfile -t folders < <(
  grep -rlE --include='*_test.go' '^func Fuzz[A-Z]' . | xargs -r -n1 dirname | sort -u)
if [ ${#folders[@]} -eq 0 ]; then
  echo "no fuzz target found" >&2
  exit 1
fi

count=0
failed=()
for folder in "${folders[@]}"; do
  # Read, as `go test -list` would build and link each package once more.
  for target in $(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$folder"/*_test.go); do
    echo "== $folder $target ($budget)"
    # Making an interesting input smaller is worth a second, not the default minute:
    # nothing else is tried meanwhile.
    go test -vet=off -run '^$' -fuzz "^$target\$" -fuzztime "$budget" -fuzzminimizetime 1s "$folder" || failed+=("$folder $target")
    count=$((count + 1))
  done
done
if [ ${#failed[@]} -gt 0 ]; then
  printf 'failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo "$count fuzz targets, $budget each: no failure"
