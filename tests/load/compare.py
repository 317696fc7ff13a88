#!/usr/bin/env python3
"""Streamkeep and nginx-rtmp under the same cameras, one after the other, several rounds.

    scripts/bench [--cameras 1000] [--seconds 30] [--rounds 3] [--work DIR]

Both listen on loopback and keep everything on the same disk. They do not do the same work:
Streamkeep takes TLS, encrypts what it keeps and answers each fragment once a sync made it durable;
nginx-rtmp takes plain TCP and writes files without a sync. What counts is the processor time and
memory of the server process; the generators are other processes on the same machine. Prints a
table to standard error, JSON to standard output.
"""

import argparse
import json
import os
import pathlib
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STREAMKEEP = ROOT / "target/release/streamkeep"
NGINX_MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
WARM_UP_SECONDS = 4

NGINX_CONF = """
load_module {module};
daemon off;
master_process off;
pid {work}/nginx.pid;
error_log {work}/error.log warn;
worker_rlimit_nofile 20000;
events {{ worker_connections 8192; }}
rtmp {{
    server {{
        listen 127.0.0.1:{port};
        application live {{
            live on;
            record all;
            record_path {work}/media;
        }}
    }}
}}
"""


class Watch:
    """Processor time, memory and written bytes of a process, from /proc (proc(5))."""

    def __init__(self, pid):
        self.pid, self.since, self.first = pid, time.monotonic(), self.sample(pid)

    @staticmethod
    def sample(pid):
        proc = pathlib.Path(f"/proc/{pid}")
        fields = (proc / "stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        lines = (proc / "status").read_text().splitlines() + (proc / "io").read_text().splitlines()
        values = dict(line.split(":", 1) for line in lines if ":" in line)
        written = int(values["write_bytes"])
        return ticks / os.sysconf("SC_CLK_TCK"), int(values["VmRSS"].split()[0]), written

    def finish(self):
        elapsed = time.monotonic() - self.since
        cpu, rss_kib, written = self.sample(self.pid)
        return {
            "cpu_cores": round((cpu - self.first[0]) / elapsed, 3),
            "rss_mb": round(rss_kib * 1024 / 1e6),
            "disk_write_mb_per_s": round((written - self.first[2]) / 1e6 / elapsed, 1),
        }


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for_port(port, process):
    for _ in range(200):
        if process.poll() is not None:
            sys.exit("the server ended by itself")
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit("the server does not listen")


def stop(process):
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run_streamkeep(work, options):
    port, tls_port = free_port(), free_port()
    key_pair = ("AKIABENCH" + secrets.token_hex(5).upper(), secrets.token_hex(20))
    environment = {
        **os.environ,
        "STREAMKEEP_ROOT_ACCESS_KEY_ID": key_pair[0],
        "STREAMKEEP_ROOT_SECRET_ACCESS_KEY": key_pair[1],
        "AWS_ACCESS_KEY_ID": key_pair[0],
        "AWS_SECRET_ACCESS_KEY": key_pair[1],
        "AWS_REGION": "us-east-1",
    }
    serve = [STREAMKEEP, "serve", "--data-dir", work / "data"]
    serve += ["--listen", f"127.0.0.1:{port}", "--tls-listen", f"127.0.0.1:{tls_port}"]
    with open(work / "serve.log", "w") as log:
        server = subprocess.Popen(serve, env=environment, stdout=log, stderr=log)
    try:
        wait_for_port(tls_port, server)
        bench = [STREAMKEEP, "bench", "ingest", "--endpoint", f"https://127.0.0.1:{tls_port}"]
        bench += ["--ca", work / "data/tls/ca.pem", "--streams", str(options.cameras)]
        bench += ["--bitrate", "1M", "--seconds", f"{options.seconds}s"]
        bench += ["--warm-up", f"{WARM_UP_SECONDS}s", "--server-pid", str(server.pid)]
        done = subprocess.run(bench, env=environment, capture_output=True, text=True)
        if not done.stdout:
            sys.exit(done.stderr)
        result = json.loads(done.stdout)
    finally:
        stop(server)
    persisted = result["latency_ms"]["fragment_end_to_persisted"]
    return {
        **{key: result["server"][key] for key in ("cpu_cores", "rss_mb", "disk_write_mb_per_s")},
        "mbit_per_s": result["mbit_per_s"],
        "persisted_p50_ms": persisted["p50"],
        "persisted_p99_ms": persisted["p99"],
        "missing": result["missing"],
        "generator_cpu_cores": result["generator"]["cpu_cores"],
        "generator_overloaded": result["generator"]["overloaded"],
    }


def run_nginx(work, options):
    port = free_port()
    (work / "media").mkdir()
    conf = work / "nginx.conf"
    conf.write_text(NGINX_CONF.format(module=NGINX_MODULE, work=work, port=port))
    server = subprocess.Popen(["nginx", "-c", conf, "-p", work], stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, server)
        generator = [sys.executable, HERE / "rtmp_publishers.py", "--port", str(port)]
        generator += ["--cameras", str(options.cameras)]
        generator += ["--seconds", str(options.seconds + WARM_UP_SECONDS)]
        pipe = subprocess.PIPE
        sender = subprocess.Popen(generator, stdout=pipe, stderr=pipe, text=True)
        if sender.stderr.readline() != "ready\n":
            sys.exit("the publishers did not connect")
        time.sleep(WARM_UP_SECONDS)
        watch = Watch(server.pid)
        time.sleep(options.seconds - 1)
        figures = watch.finish()
        output, _ = sender.communicate()
        result = json.loads(output)
        # What is still in socket buffers counts as well.
        recorded, before = recorded_len(work), -1
        while recorded != before:
            time.sleep(2)
            recorded, before = recorded_len(work), recorded
    finally:
        stop(server)
    return {
        **figures,
        "mbit_per_s": result["mbit_per_s"],
        "recorded_share": round(recorded * 8 / 1e6 / (result["mbit_per_s"] * result["seconds"]), 3),
        "broken": result["broken"],
        "generator_cpu_cores": result["generator_cpu_cores"],
        "generator_lag_ms": result["lag_ms"],
    }


def recorded_len(work):
    return sum(file.stat().st_size for file in (work / "media").iterdir())


def spread(rounds):
    """Minimum, median and maximum of each figure over the rounds."""
    figures = {}
    for key, value in rounds[0].items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            values = sorted(round_[key] for round_ in rounds)
            figures[key] = [values[0], statistics.median(values), values[-1]]
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cameras", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", help="directory on the disk to measure; a temporary one is made")
    options = parser.parse_args()
    servers = {"streamkeep": run_streamkeep, "nginx-rtmp": run_nginx}
    rounds = {name: [] for name in servers}
    for index in range(options.rounds):
        for name, run in servers.items():
            work = pathlib.Path(tempfile.mkdtemp(prefix="streamkeep-bench-", dir=options.work))
            try:
                rounds[name].append(run(work, options))
            finally:
                shutil.rmtree(work, ignore_errors=True)
            print(f"round {index}, {name}: {json.dumps(rounds[name][-1])}", file=sys.stderr)
    report = {name: {"spread": spread(rounds[name]), "rounds": rounds[name]} for name in servers}
    for name, result in report.items():
        print(f"{name}: minimum, median, maximum of {options.rounds} rounds", file=sys.stderr)
        for key, values in result["spread"].items():
            print(f"  {key:<22}" + "".join(f"{value:>12}" for value in values), file=sys.stderr)
    print(json.dumps({"cameras": options.cameras, "seconds": options.seconds, **report}, indent=2))


if __name__ == "__main__":
    main()
