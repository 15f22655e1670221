#!/bin/sh
# The compilers and what they make: many short processes, then programs of their own.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >a.c <<'END'
#include <math.h>
#include <stdio.h>
int helper(int);
int main(void) {
  double sum = 0;
  for (int i = 1; i < 1000; ++i) sum += sqrt(i) * helper(i);
  printf("%.6f\n", sum);
  return 0;
}
END
cat >b.c <<'END'
int helper(int x) { return x % 7 == 0 ? -x : x / 2; }
END
cat >c.cc <<'END'
#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <vector>
int main() {
  std::vector<int> v(1000);
  unsigned s = 1;
  for (int& x : v) x = int((s = s * 1103515245u + 12345u) >> 16);
  std::sort(v.begin(), v.end());
  std::map<std::string, int> m;
  for (int x : v) ++m[std::to_string(x % 10)];
  for (auto& [k, n] : m) std::cout << k << ':' << n << ' ';
  std::cout << '\n';
  try { throw std::string("thrown"); } catch (const std::string& t) { std::cout << t << '\n'; }
}
END
for level in -O0 -O2; do
  gcc $level -c a.c b.c
  gcc -o ab a.o b.o -lm
  ./ab
  g++ $level -o c c.cc
  ./c
done
gcc -O2 -S -o - b.c | grep -c helper
gcc -static -O1 -o ab-static a.c b.c -lm && ./ab-static
ar rc libb.a b.o && nm libb.a | grep -c ' T '
gcc -O1 -c broken.c 2>/dev/null || echo "status $?"
printf 'all: x\nx: ; @echo made\n' >Makefile
if command -v make >/dev/null; then make -s; else echo made; fi
