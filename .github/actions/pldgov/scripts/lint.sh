#!/usr/bin/env bash
# Lints the rulebooks. What lint finds is an exit code to report, not a failed step.
# In: FOLDER, INPUT_RULEBOOKS. Out: exit-code.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

set --
while IFS= read -r line; do
  if [ -n "$line" ]; then set -- "$@" "$line"; fi
done <<< "${INPUT_RULEBOOKS:-}"

code=0
pldgov lint --format github --also "json=$FOLDER/lint.json" \
  --also "junit=$FOLDER/junit/lint.xml" --also "sarif=$FOLDER/sarif/lint.sarif" \
  -- "$@" > "$FOLDER/lint.log" 2> "$FOLDER/lint.err" || code=$?
cat "$FOLDER/lint.log"
show "$FOLDER/lint.err"
if [ "$code" -gt 1 ]; then annotate error "$(message "$FOLDER/lint.err")"; fi
rm "$FOLDER/lint.log" "$FOLDER/lint.err"
output exit-code "$code"
