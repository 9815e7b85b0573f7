#!/usr/bin/env bash
# Tells reviewers: the sticky comment on the pull request, and the job's summary.
# In: FOLDER, INPUT_RULEBOOKS, INPUT_BASE, INPUT_STUDENT, INPUT_COMMENT, INPUT_VOLUME, ARTIFACT_URL,
# VERDICT, REASON, GITHUB_TOKEN. Out: url.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The gate has asked already; where it could not, nobody should be kept waiting twice.
set -- --offline
if ! says_true comment "${INPUT_COMMENT:-}"; then set -- "$@" --dry-run; fi
if [ -n "${INPUT_BASE:-}" ]; then set -- "$@" --base "$INPUT_BASE"; fi
if [ -n "${INPUT_STUDENT:-}" ]; then set -- "$@" --student "$INPUT_STUDENT"; fi
if [ -n "${ARTIFACT_URL:-}" ]; then set -- "$@" --artifact-url "$ARTIFACT_URL"; fi
if [ -n "${INPUT_VOLUME:-}" ]; then set -- "$@" --volume "$INPUT_VOLUME"; fi
set -- "$@" --
while IFS= read -r line; do
  if [ -n "$line" ]; then set -- "$@" "$line"; fi
done <<< "${INPUT_RULEBOOKS:-}"

code=0
pldgov comment "$@" > "$FOLDER/comment.log" 2> "$FOLDER/comment.err" || code=$?
show "$FOLDER/comment.log"
show "$FOLDER/comment.err"
if [ "$code" -ne 0 ]; then
  annotate warning "no comment was written (exit code $code): $(message "$FOLDER/comment.err")"
fi
output url "$(grep -oE 'https?://[^[:space:]]+#issuecomment-[0-9]+' "$FOLDER/comment.log" | tail -n 1 || true)"
rm "$FOLDER/comment.log" "$FOLDER/comment.err"

# With the comment comes the summary. Where even that failed, the gate's word stands there.
if [ ! -s "$GITHUB_STEP_SUMMARY" ]; then
  if [ -f "$FOLDER/gate.md" ]; then
    cat "$FOLDER/gate.md" >> "$GITHUB_STEP_SUMMARY"
  else
    # In a code block, which no line of the reason can end.
    printf '### %s\n\n%s\n' "${VERDICT:-}" "$(printf '%s\n' "${REASON:-}" | sed 's/^/    /')" \
      >> "$GITHUB_STEP_SUMMARY"
  fi
fi
