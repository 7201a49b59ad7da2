#!/bin/sh
# Runs the judges: scripts that hold OMNI against stand-ins and cases kept beside the checkout. Each prints its own verdict.
set -u

status=0
for judge in scripts/judge_*.py; do
    [ -e "$judge" ] || continue
    printf '── %s\n' "$judge"
    .venv/bin/python "$judge" || status=1
done
exit "$status"
