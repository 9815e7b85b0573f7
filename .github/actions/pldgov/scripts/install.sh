#!/usr/bin/env bash
# Installs pldgov and makes the folder that the other steps write into.
# In: INPUT_INSTALL, INPUT_EXTRAS, INPUT_NO_DEPS, and to look at them before anything is spent:
# INPUT_COMMENT, INPUT_REPORT, INPUT_SARIF, INPUT_CACHE, INPUT_FAIL_ON. Out: folder.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

says_true comment "${INPUT_COMMENT:-}" || true
says_true report "${INPUT_REPORT:-}" || true
says_true sarif "${INPUT_SARIF:-}" || true
says_true cache "${INPUT_CACHE:-}" || true
check_fail_on "${INPUT_FAIL_ON:-undecided}"

case ${INPUT_EXTRAS:-} in
  *[!A-Za-z0-9,_-]*)
    annotate error "input extras is a list such as openai,transformers, not \"$INPUT_EXTRAS\""
    exit 2
    ;;
esac

# install_lines OPTION... : pip installs what stands on standard input, one requirement a line
install_lines() {
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    if [ -n "${line//[[:space:]]/}" ]; then set -- "$@" "$line"; fi
  done
  "$PYTHON" -m pip install --disable-pip-version-check --quiet "$@"
}

case ${INPUT_INSTALL:-} in
  none) ;;
  "")
    # An action that is used from pldgov's own repository comes with pldgov itself.
    source=$(cd "$GITHUB_ACTION_PATH/../../.." && pwd)
    if ! grep -q '^name = "pldgov"$' "$source/pyproject.toml" 2> /dev/null; then source=pldgov; fi
    printf '%s' "$source${INPUT_EXTRAS:+[$INPUT_EXTRAS]}" | install_lines
    ;;
  *) printf '%s' "$INPUT_INSTALL" | install_lines ;;
esac
if [ -n "${INPUT_NO_DEPS:-}" ]; then printf '%s' "$INPUT_NO_DEPS" | install_lines --no-deps; fi

if ! version=$(pldgov --version); then
  annotate error "pldgov is not installed for $(command -v "$PYTHON"): leave out \"install: none\", or install it in an earlier step"
  exit 2
fi
printf '%s\n' "$version"

folder=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/pldgov.XXXXXX")
mkdir "$folder/junit" "$folder/sarif" "$folder/report"
output folder "$folder"
