#!/usr/bin/env bash
# Fetches the newest Swagger UI and ReDoc with npm into python/data_bridge/openapi/assets: what the pages load, compressed
# (the wheel and the wire then carry a quarter), and the licences beside it.
set -euo pipefail
assets=$(cd "$(dirname "$0")/.." && pwd)/python/data_bridge/openapi/assets
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# take PACKAGE FILE…: the files of the package's newest release; texts (licences, notices) as they are, the rest compressed.
take() {
  local package=$1 version; shift
  (cd "$work" && tar xzf "$(npm pack --silent "$package")")
  version=$(node -p "require('$work/package/package.json').version")
  rm -rf "$assets/$package@"* && mkdir -p "$assets/$package@$version"
  for file in "$@"; do
    case $file in
      LICENSE | NOTICE | *.txt) cp "$work/package/$file" "$assets/$package@$version/" ;;
      *) gzip -9 --no-name --stdout "$work/package/$file" > "$assets/$package@$version/$(basename "$file").gz" ;;
    esac
  done
  rm -r "$work/package"
  echo "$package $version"
}

take swagger-ui-dist LICENSE NOTICE swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt swagger-ui.css favicon-32x32.png oauth2-redirect.js
take redoc LICENSE bundles/redoc.standalone.js bundles/redoc.standalone.js.LICENSE.txt
