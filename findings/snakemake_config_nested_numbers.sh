#!/usr/bin/env bash
# What: Snakemake 9.27.1 (Python 3.11), the option --config.
# Its help says that nested values are written like a Python dict, and gives "foo={'bar': 42}" as the example.
#
# One would guess: 42 is the same number in "foo={'bar': 42}" as in "foo=42".
# What happens: alone it is a number, inside a dict or a list it is the text '42'. The value as a whole is tried as an
# integer, a float and True or False; all else goes to a YAML reader that leaves every scalar a text. So
# config["foo"]["bar"] is a text in the very example of the help. The same values in a --configfile are numbers.
#
# Seen:
#   --config foo=42                42
#   --config foo={'bar': 42}       {'bar': '42'}
#   --config foo=[1, 2.5]          ['1', '2.5']
#   --config foo=True              True
#   --config foo=[True]            ['True']
#   --configfile values.yaml       {'bar': 42}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export XDG_CACHE_HOME=$folder/cache
python3 -m venv env
env/bin/pip install -qq snakemake==9.27.1 PuLP==3.3.2

cat >Snakefile <<'EOF'
print("foo is", repr(config["foo"]), flush=True)

rule all:
EOF
echo "foo: {'bar': 42}" >values.yaml

changed=0
expect() { # the value that the workflow has to see, then options of Snakemake
    local expected=$1 value
    shift
    value=$(timeout 300 env/bin/snakemake --dry-run --cores 1 "$@" 2>log.txt | sed -n 's/^foo is //p')
    printf '%-30s %s\n' "$*" "$value"
    [ "$value" = "$expected" ] || changed=1
}
expect "42" --config "foo=42"
expect "{'bar': '42'}" --config "foo={'bar': 42}"
expect "['1', '2.5']" --config "foo=[1, 2.5]"
expect "True" --config "foo=True"
expect "['True']" --config "foo=[True]"
expect "{'bar': 42}" --configfile values.yaml
[ "$changed" = 0 ] || { echo "the behaviour has changed" >&2; exit 1; }
