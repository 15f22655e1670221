#!/bin/sh
# Prints its arguments, one a line, and exits with 9.
for argument in "$@"; do
  printf '%s\n' "$argument"
done
exit 9
