"""Measures how long executables of the provider take from exec to the handshake's line: `start_time.py FILE...`.

Each is started as an engine starts it, in turn with the others; the medians are printed in milliseconds.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 30


def main(programs):
    for program, times in measure(programs).items():
        size = os.path.getsize(program)
        print(f"{statistics.median(times):6.2f} ms (of {ROUNDS}: {min(times):.2f} to {max(times):.2f})  {size} bytes  {program}")


def measure(programs):
    """The milliseconds that each program took, round by round."""
    with tempfile.TemporaryDirectory() as scratch:
        certificate = f"{scratch}/client.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521", "-nodes", "-subj",
             "/CN=localhost", "-days", "1", "-keyout", f"{scratch}/key.pem", "-out", certificate],
            check=True, capture_output=True,
        )
        environment = {
            "TF_PLUGIN_MAGIC_COOKIE": "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
            "PLUGIN_PROTOCOL_VERSIONS": "6",
            "PLUGIN_CLIENT_CERT": open(certificate).read(),
            "TMPDIR": scratch,
        }
        taken = {program: [] for program in programs}
        for _ in range(ROUNDS):
            for program in programs:
                taken[program].append(start(program, environment))
    return taken


def start(program, environment):
    begun = time.perf_counter()
    plugin = subprocess.Popen([program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=False)
    line = plugin.stdout.readline()
    taken = (time.perf_counter() - begun) * 1000
    plugin.kill()
    _, said = plugin.communicate()
    if not line.startswith(b"1|6|"):
        sys.exit(f"{program} did not start: {line}\n{said.decode(errors='replace')}")
    return taken


if __name__ == "__main__":
    main(sys.argv[1:])
