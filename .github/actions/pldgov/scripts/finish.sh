#!/usr/bin/env bash
# Sets the job's status from what lint and gate exited with.
# In: INPUT_FAIL_ON, LINT_CODE, GATE_CODE, VERDICT, REASON.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

fail_on=${INPUT_FAIL_ON:-undecided}
check_fail_on "$fail_on"

if [ -z "${LINT_CODE:-}" ] || [ -z "${GATE_CODE:-}" ]; then
  annotate error "lint and gate did not run: an earlier step says why"
  exit 2
fi

# fails CODE: tells whether it fails the job; 3 and 4 are no verdict
fails() {
  case $fail_on:$1 in
    never:* | *:0 | regressed:[34]) return 1 ;;
    *) return 0 ;;
  esac
}

first=${REASON:-}
first=${first%%$'\n'*}
printf 'lint: exit code %s\ngate: %s, exit code %s\n' "$LINT_CODE" "${VERDICT:-}" "$GATE_CODE"
if fails "$GATE_CODE"; then
  annotate error "${VERDICT:-}: $first"
  exit "$GATE_CODE"
fi
if [ "$GATE_CODE" -ne 0 ]; then annotate warning "${VERDICT:-}, which \"fail-on: $fail_on\" lets through: $first"; fi
if fails "$LINT_CODE"; then
  annotate error "pldgov lint found errors (exit code $LINT_CODE)"
  exit "$LINT_CODE"
fi
