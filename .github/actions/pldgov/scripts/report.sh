#!/usr/bin/env bash
# Writes the page of each rulebook. A page that cannot be written is a warning: the gate decides.
# In: FOLDER (with lint.json), INPUT_BASE, INPUT_STUDENT.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [ ! -f "$FOLDER/lint.json" ]; then
  annotate warning "no report is written, because lint found no rulebooks"
  exit 0
fi
base=$(compared)
names='import json, sys; print("\n".join(json.load(open(sys.argv[1], encoding="utf-8"))["rulebooks"]))'
while IFS= read -r path; do
  set -- "$path" -o "$FOLDER/report/$(dirname "$path")"
  if [ -n "$base" ]; then set -- "$@" --base "$base"; fi
  if [ -n "${INPUT_STUDENT:-}" ]; then set -- "$@" --student "$INPUT_STUDENT"; fi
  if ! pldgov report "$@" > "$FOLDER/report.log" 2>&1; then
    annotate warning "no report of $path: $(message "$FOLDER/report.log")"
  fi
  show "$FOLDER/report.log"
done < <("$PYTHON" -c "$names" "$FOLDER/lint.json" | tr -d '\r')
rm -f "$FOLDER/report.log"
