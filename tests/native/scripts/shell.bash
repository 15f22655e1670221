#!/bin/bash
# What the shell itself does: arrays, expansions, traps, jobs, signals, substitutions.
exec 2>/dev/null  # its messages name processes by their numbers
declare -A ages=([ann]=31 [bob]=27)
for name in $(printf '%s\n' "${!ages[@]}" | sort); do echo "$name ${ages[$name]}"; done
list=({1..20})
echo "${list[@]: -3}" "${#list[@]}" "${list[*]/1/x}"
text=abcdefgh
echo "${text:2:3} ${text^^} ${text/cd/--} ${text%ef*} ${#text}"
fib() { if (($1 < 2)); then echo "$1"; else echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); fi; }
fib 9
trap 'echo "got USR1"' USR1
kill -USR1 $$
trap 'echo "exit trap"' EXIT
(trap 'echo "subshell ends"' EXIT; exit 3)
echo "status $?"
sum=0
while read -r number; do ((sum += number)); done < <(seq 1 100)
echo "sum $sum"
cat <<<"here string" | tr a-z A-Z
diff <(echo same) <(echo same) && echo equal
coproc cat
echo through >&"${COPROC[1]}"
read -r line <&"${COPROC[0]}"
echo "$line"
eval "exec ${COPROC[1]}>&-"
wait "$COPROC_PID" 2>/dev/null
for i in 1 2 3; do (sleep 0.0$i; exit "$i") & pids[i]=$!; done
for i in 1 2 3; do wait "${pids[i]}"; echo "job $i: $?"; done
(trap - EXIT; exec sleep 10) &
until [ "$(cat /proc/$!/comm)" = sleep ]; do sleep 0.05; done
kill -TERM $!
wait $! 2>/dev/null
echo "killed: $?"
set -o pipefail
false | true
echo "pipe $? ${PIPESTATUS[*]}"
[[ "a-17.txt" =~ ([a-z])-([0-9]+) ]] && echo "${BASH_REMATCH[2]}"
printf -v padded '%08.3f' 3.14159
echo "$padded"
for ((i = 0, j = 0; i < 20000; i++)); do ((j = (j * 31 + i) % 65521)); done
echo "$j"
mapfile -t lines < <(seq 3 5)
echo "${lines[1]}"
echo $((2**40)) $((16#ff)) $((-7 / 2)) $((-7 % 3))
{ bash -c 'kill -SEGV $$'; echo "child $?"; } 2>/dev/null
