#!/usr/bin/env bash
# Looks for known vulnerabilities that our code calls, in every package and test,
# with Go's own database at a pinned version: golang.org/x/vulndb is served as a
# module, so that no other host is needed and a check gives the same answer twice.
# A newer database: `go list -m golang.org/x/vulndb@latest`, and its version below.
set -euo pipefail
cd "$(dirname "$0")/.."
database=v0.0.0-20261105234957-e22db6528018
scanner=v1.9.0

folder=$PWD/var/vulndb-$database
if [ ! -f "$folder/index/db.json" ]; then
  rm -rf "$folder"
  reports=$(cd / && go mod download -json "golang.org/x/vulndb@$database" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p')
  go run "golang.org/x/vulndb/cmd/indexdb@$database" -vulns "$reports/data/osv" -out "$folder.part"
  mv "$folder.part" "$folder"
fi
echo "Known vulnerabilities as of $database:"
# With -format json the scanner's exit code is 0 whatever it finds: tools/vuln judges.
go run "golang.org/x/vuln/cmd/govulncheck@$scanner" -db "file://$folder" -format json -test ./... | go run ./tools/vuln
