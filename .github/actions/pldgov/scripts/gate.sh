#!/usr/bin/env bash
# Gates the change. Whatever the verdict, the step succeeds: finish.sh sets the job's status, once
# reviewers have been told.
# In: FOLDER, INPUT_RULEBOOKS, INPUT_BASE, INPUT_STUDENT.
# Out: exit-code, verdict, reason, rulebook, macro-f1, base-macro-f1, difference, lower, upper,
# verdicts.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# without_verdict EXIT_CODE VERDICT REASON
without_verdict() {
  annotate error "$3"
  output exit-code "$1"
  output verdict "$2"
  output reason "$3"
  output verdicts "[]"
  exit 0
}

if [ ! -f "${INPUT_BASE:-}" ] && [ -z "$(compared)" ]; then
  if is_shallow; then
    without_verdict 3 NO_BASELINE \
      "the clone is shallow, so there is nothing to compare the change with: give actions/checkout \"fetch-depth: 0\""
  elif [ -z "${INPUT_BASE:-}" ] && [ -n "${GITHUB_BASE_REF:-}" ] && [ -z "$(target)" ]; then
    without_verdict 3 NO_BASELINE \
      "the target branch $GITHUB_BASE_REF is not here, so there is nothing to compare the change with: give actions/checkout \"fetch-depth: 0\""
  fi
fi

set --
if [ -n "${INPUT_BASE:-}" ]; then set -- "$@" --base "$INPUT_BASE"; fi
if [ -n "${INPUT_STUDENT:-}" ]; then set -- "$@" --student "$INPUT_STUDENT"; fi
set -- "$@" --
while IFS= read -r line; do
  if [ -n "$line" ]; then set -- "$@" "$line"; fi
done <<< "${INPUT_RULEBOOKS:-}"

code=0
pldgov gate --format github --also "json=$FOLDER/gate.json" --also "markdown=$FOLDER/gate.md" \
  --also "junit=$FOLDER/junit/gate.xml" --also "sarif=$FOLDER/sarif/gate.sarif" \
  "$@" > "$FOLDER/gate.log" 2> "$FOLDER/gate.err" || code=$?
show "$FOLDER/gate.err"
cat "$FOLDER/gate.log"
said=$(message "$FOLDER/gate.err")
rm "$FOLDER/gate.log" "$FOLDER/gate.err"

case $code in
  0 | 1 | 3 | 4) ;;
  *) without_verdict "$code" ERROR "$said" ;;
esac
if [ ! -f "$FOLDER/gate.json" ]; then without_verdict "$code" UNDECIDED "$said"; fi
output exit-code "$code"
"$PYTHON" "$(dirname "${BASH_SOURCE[0]}")/outputs.py" "$FOLDER/gate.json" >> "$GITHUB_OUTPUT"
