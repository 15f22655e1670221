#!/bin/sh
# Small programs, many processes, pipes. Prints the same wherever it runs.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C
seq 1 5000 | awk '{ print $1 % 97, $1 * $1 % 1009, "line" $1 }' >table
sort -k1,1n -k2,2nr table | head -3
cut -d' ' -f1 table | sort | uniq -c | sort -rn | head -2
sed -n 's/^\([0-9]*\) \([0-9]*\) line\(.*7\)$/\3-\2-\1/p' table | tail -2
grep -c '^9' table
wc table
join -j1 -o 1.1,2.3 table table 2>/dev/null | head -1 || true
tr a-z A-Z <table | md5sum
split -l 777 table part. && ls part.* | wc -l
cat part.* | cmp - table && echo joined
mkdir -p tree/a/b/c && cp table tree/a/b/c && ln -s ../table tree/link
tar -cf - tree | tar -tf - | sort
gzip -9c table | gzip -dc | cmp - table && echo gzip
xz -c table | xz -dc | sha256sum
find tree -type f -name 't*' -exec basename {} \;
od -A d -t x1 -N 32 table
expr 17 \* 3 + 4
printf '%s %05d %x\n' text 42 255
date -u -d @86399 +%H:%M:%S
paste -sd, part.aa | cut -c1-30
nl table | tail -1
comm -12 part.aa part.ab | wc -l
diff part.aa part.ab | wc -l
tac table | head -1
factor 1234567890
seq 10 | xargs -n 3 echo
timeout 0.2 sleep 5 || echo "timeout $?"
env -i A=b env
dd if=table bs=100 count=3 2>/dev/null | cksum
