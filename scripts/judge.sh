#!/bin/sh
# Runs the judges: OMNI held against stand-ins and cases that are kept beside the checkout. Each prints its own verdict.
set -u

status=0
judge() {
    printf '── %s\n' "$*"
    .venv/bin/python -W ignore -m "$@" || status=1
}

said=$(mktemp)
trap 'rm -f "$said"' EXIT
(judge scripts.judge_badinput ../shared/badinput; exit "$status") >"$said" 2>&1 & # the lab's rounds mostly wait
beside=$!
judge scripts.judge_lab --mails 3000 --texts 200
wait "$beside" || status=1
cat "$said"
judge scripts.judge_adapters
exit "$status"
