# SPDX-License-Identifier: GPL-2.0-only
#
# Run steps and count, for scripts/check and scripts/check-debug. A step is a
# file in check.d that prints TAP; one that fails without a "not ok", or tells
# of no test at all, has failed. What the steps say is kept in build/check.
# shellcheck shell=bash

logs=$PWD/build/check
never=$((1 << 62))

# steps_usage TABLE: the lines of a table "step | seconds | what it is"
steps_usage()
{
	sed -n 's/^\([a-z0-9-]* *\)|.*|\(.*\)/  \1\2/p' <<<"$1"
}

# Counts of a log: sets ok, bad, skip
count()
{
	skip=$(grep -ciE '^ok .*# *skip' "$1")
	ok=$(($(grep -c '^ok ' "$1") - skip))
	bad=$(grep -c '^not ok ' "$1")
}

# end_group PID: what is left of a group may tell of its end, but not for long.
end_group()
{
	for _ in {1..50}; do
		kill -0 -- "-$1" 2>/dev/null || return
		sleep 0.2
	done
	kill -KILL -- "-$1" 2>/dev/null
}

# run_step NAME SECONDS: sets ok, bad, skip. At VDPA_END, in seconds since 1970, a
# step is cut; without half of its SECONDS until then it does not begin.
run_step()
{
	local name=$1 limit=$2 log=$logs/$1.log left status pid

	left=$((${VDPA_END:-never} - $(date +%s)))
	if [ "$left" -lt $((limit / 2)) ]; then
		echo "ok - $name # SKIP no time left" >"$log"
		count "$log"
		return
	fi
	[ "$left" -gt "$limit" ] || limit=$left
	# Who is told to end ends the step first.
	timeout -k 10 "$limit" "scripts/check.d/$name" >"$log" 2>&1 </dev/null &
	pid=$!
	trap 'kill "$pid"; exit 130' TERM INT
	wait "$pid"
	status=$?
	trap - TERM INT
	# timeout(1) makes a group, and waits for one of it.
	[ "$status" != 124 ] || end_group "$pid"
	# One that ends with 124 before that has had a limit of its own; one whose
	# kernel has complained has failed all the same.
	if [ "$status" = 124 ] && [ "$(date +%s)" -ge "${VDPA_END:-$never}" ] &&
		! grep -q '^vm: kernel log' "$log"; then
		echo "ok - the rest of $name # SKIP no time left" >>"$log"
		status=0
	fi
	count "$log"
	if [ "$status" -ne 0 ] && [ "$bad" = 0 ]; then
		echo "not ok - $name ends with status $status" >>"$log"
		bad=1
	elif [ $((ok + bad + skip)) = 0 ]; then
		echo "not ok - $name tells of no test" >>"$log"
		bad=1
	fi
}

# report NAME WHAT SECONDS: one line, and what was wrong
report()
{
	local log=$logs/$1.log

	printf '%-14s %-48s %s passed, %s failed, %s skipped (%s s)\n' \
		"$1" "$2" "$ok" "$bad" "$skip" "$3"
	[ "$bad" -gt 0 ] || return 0
	echo "--- $log"
	grep '^not ok ' "$log" | head -n 30 | sed 's/^/  /'
	echo '---'
	grep -v '^\(not \)\?ok ' "$log" | tail -n 70 | sed 's/^/  /'
	echo '---'
}

# A step in a lane of its own: what it says comes out in one piece. A lane that
# does not come to its end has failed.
lane()
{
	local start=$SECONDS said

	echo '0 1 0' >"$logs/$1.counts"
	run_step "$1" "$2"
	said=$(report "$1" "$3" $((SECONDS - start)))
	echo "$said"
	echo "$ok $bad $skip" >"$logs/$1.counts"
}

# run_steps TABLE LANES [STEP...]: so many steps at a time; all, or those named.
# The last line has the counts; status 1 if anything has failed.
run_steps()
{
	local table=$1 lanes=$2 name limit what wanted=" ${*:3} "
	local passed=0 failed=0 skipped=0 ok bad skip

	mkdir -p "$logs"
	rm -f "$logs"/*.counts
	trap 'kill $(jobs -p) 2>/dev/null; wait; exit 130' TERM INT
	while IFS='|' read -r name limit what; do
		name=${name// /}
		case $wanted in
		'  ' | *" $name "*) ;;
		*) continue ;;
		esac
		[ -n "$name" ] || continue
		while [ "$(jobs -rp | wc -l)" -ge "$lanes" ]; do
			wait -n
		done
		[ ! -t 1 ] || echo "               ... $name"
		lane "$name" "${limit// /}" "${what# }" &
	done <<<"$table"
	wait
	trap - TERM INT
	for name in "$logs"/*.counts; do
		read -r ok bad skip <"$name"
		passed=$((passed + ok))
		failed=$((failed + bad))
		skipped=$((skipped + skip))
	done
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}

# steps_must_exist TABLE STEP...
steps_must_exist()
{
	local name

	for name in "${@:2}"; do
		grep -q "^$name *|" <<<"$1" && continue
		echo "There is no step $name. There are:"
		steps_usage "$1"
		return 1
	done >&2
}
