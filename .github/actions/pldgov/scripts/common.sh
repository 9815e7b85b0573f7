# shellcheck shell=bash
# Sourced by every step of the action. Values come from the environment only.
# It keeps to bash 3.2, which macOS has.
set -euo pipefail

if command -v python > /dev/null 2>&1; then PYTHON=python; else PYTHON=python3; fi

# -P: no module of the repository that is judged is ever imported in place of an installed one.
pldgov() {
  "$PYTHON" -P -m pldgov "$@"
}

# escaped TEXT: as the data of a workflow command, so that text cannot start another one
escaped() {
  local text=$1
  text=${text//'%'/%25}
  text=${text//$'\r'/%0D}
  text=${text//$'\n'/%0A}
  printf '%s' "$text"
}

# message FILE: what pldgov said last on standard error, without the word before it
message() {
  local text
  text=$'\n'$(cat "$1")
  text=${text##*$'\n'error: }
  text=${text#$'\n'}
  printf '%s' "$text"
}

# annotate error|warning|notice TEXT
annotate() {
  printf '::%s title=pldgov::%s\n' "$1" "$(escaped "$2")"
}

random_word() {
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# output NAME VALUE: an output of this step; VALUE may have several lines
output() {
  local end
  end=end-$(random_word)
  printf '%s<<%s\n%s\n%s\n' "$1" "$end" "$2" "$end" >> "$GITHUB_OUTPUT"
}

# show FILE: into the log, where no line of it counts as a workflow command
show() {
  local word
  if [ ! -s "$1" ]; then return; fi
  word=$(random_word)
  printf '::stop-commands::%s\n' "$word"
  cat "$1"
  printf '\n::%s::\n' "$word"
}

# says_true NAME VALUE: succeeds for "true", fails for "false" and "", ends the step for the rest
says_true() {
  case $2 in
    true) return 0 ;;
    false | "") return 1 ;;
    *)
      annotate error "input $1 is \"true\" or \"false\", not \"$2\""
      exit 2
      ;;
  esac
}

check_fail_on() {
  case $1 in
    undecided | regressed | never) ;;
    *)
      annotate error "input fail-on is \"undecided\", \"regressed\" or \"never\", not \"$1\""
      exit 2
      ;;
  esac
}

is_shallow() {
  [ "$(git rev-parse --is-shallow-repository 2> /dev/null)" = true ]
}

is_commit() {
  git rev-parse --verify --quiet "$1^{commit}" > /dev/null 2>&1
}

# target: the branch that the change goes into; nothing if it is not here. Where a pull request
# names it no other will do: the change could turn out to be compared with itself.
target() {
  local name
  if [ -n "${GITHUB_BASE_REF:-}" ]; then
    set -- "origin/$GITHUB_BASE_REF" "$GITHUB_BASE_REF"
  else
    set -- origin/HEAD origin/main origin/master main master
  fi
  for name in "$@"; do
    if is_commit "$name"; then
      printf '%s' "$name"
      return
    fi
  done
}

# compared: the commit that the change is compared with; nothing where there is none here
compared() {
  local name
  if [ -n "${INPUT_BASE:-}" ]; then
    if is_commit "$INPUT_BASE"; then git rev-parse --verify --quiet "$INPUT_BASE^{commit}"; fi
    return
  fi
  name=$(target)
  if [ -n "$name" ]; then git merge-base HEAD "$name" 2> /dev/null || true; fi
}
