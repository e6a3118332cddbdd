# The same log through cantools: one dict a frame, physical values without labels. Speaks the lines of round-lines.ts.
import gzip
import json
import math
import resource
import sys
import time


def say(**word):
    sys.stdout.write(json.dumps(word) + "\n")
    sys.stdout.flush()


def quantile(values, share):
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def main():
    log, dbc, round_ms, warmup_ms = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
    try:
        import cantools
    except ImportError:
        say(say="skip", reason="needs cantools (pip install cantools; DROVER_BENCH_PYTHON names the interpreter)")
        return
    database = cantools.database.load_file(dbc, strict=False)
    known = {message.frame_id: message for message in database.messages}
    frames = []
    with gzip.open(log, "rt") as lines:
        for line in lines:
            frame = line.split()[2]
            identifier, _, data = frame.partition("#")
            frames.append((int(identifier, 16), bytes.fromhex(data)))

    position = 0
    all_times = []

    def sample(budget_ms):
        nonlocal position
        work, times, start = 0, [], time.perf_counter()
        now, end = start, start + budget_ms / 1000
        while now < end:
            chunk = frames[position : position + 1024]
            position = 0 if position + 1024 >= len(frames) else position + 1024
            for identifier, data in chunk:
                message = known.get(identifier)
                if message is None:
                    continue
                if message.decode(data, decode_choices=False):
                    work += 1
            then, now = now, time.perf_counter()
            times.append((now - then) * 1000)
        return work, (now - start) * 1000, times

    sample(warmup_ms)
    say(say="ready")
    for line in sys.stdin:
        if json.loads(line)["say"] == "finish":
            break
        work, elapsed_ms, times = sample(round_ms)
        all_times.extend(times)
        say(say="round", work=work, elapsedMs=elapsed_ms, p50Ms=quantile(times, 0.5), p99Ms=quantile(times, 0.99))
    say(say="finished", p999Ms=quantile(all_times, 0.999), rssMiB=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


main()
