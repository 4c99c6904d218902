#!/usr/bin/env bash
# Sandbox: start-to-exit time of /bin/true under Ringfence with everything on, bubblewrap, and, for reference, bare namespaces and nothing.
. "$(dirname "$0")/lib.sh"
COUNT=${COUNT:-20}
declare -A COMMAND=(
    [direct]="/bin/true"
    [unshare]="unshare -Urnpf --mount-proc /bin/true"
)
PEERS=(direct unshare)
if have bwrap; then
    COMMAND[bubblewrap]="bwrap --unshare-all --die-with-parent --ro-bind / / --proc /proc --dev /dev --tmpfs /tmp /bin/true"
    PEERS+=(bubblewrap)
fi
if [ -x "$RINGFENCE" ]; then
    COMMAND[ringfence]="env XDG_DATA_HOME=$WORK/data XDG_CONFIG_HOME=$WORK/config $RINGFENCE run -- /bin/true"
    PEERS+=(ringfence)
fi

# One trial each: what does not run on this machine is left out, and said.
running=()
mkdir "$WORK/project"
cd "$WORK/project"
for peer in "${PEERS[@]}"; do
    if ${COMMAND[$peer]} >"$WORK/trial" 2>&1; then
        running+=("$peer")
    else
        note "$peer does not run here: $(tail -n 2 "$WORK/trial" | tr '\n' ' ')"
    fi
done

machine
echo "peers: ${running[*]}; $COUNT starts per repetition"
for repetition in $(seq "$REPS"); do
    for peer in $(rotate "$repetition" "${running[@]}"); do
        record start "$peer" "$repetition" "$LOADGEN" spawn --count "$COUNT" -- ${COMMAND[$peer]}
    done
done
report start:p50_ms:low:difference start:p90_ms:low:difference start:min_ms:low:difference
