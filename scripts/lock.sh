#!/bin/sh
# Resolves the locks from pyproject.toml: with hashes, for Python 3.11 and newer, without an index address.
set -eu

compile() {
    uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate "$@"
}

engines="--extra postgres --extra elastic --extra redis"
compile -o requirements/core.txt
# shellcheck disable=SC2086
compile $engines -c requirements/core.txt -o requirements/engines.txt
compile --extra parquet -c requirements/core.txt -o requirements/parquet.txt
# shellcheck disable=SC2086
compile $engines --extra parquet --group dev -c requirements/core.txt -o requirements/dev.txt
