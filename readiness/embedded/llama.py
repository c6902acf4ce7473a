"""The server process: llama.cpp's own server, until standard input ends."""

import os
import signal
import sys

SLOTS = 4  # One core writes 137 tokens/s of four replies, and 120 of one; each takes 190 MB.
CONTEXT = 8192  # Tokens a slot: all that SmolLM2 was trained for.
THREADS = 4  # A container may show 64 cores and grant two; 8 threads on 2 cores run at a third.


def serve(weights: str, alias: str) -> None:
    """Serve the weights on a free loopback port, and print the base URL once they are loaded."""
    # Read when the library loads. Idle threads spin by default: with two busy processes on two
    # cores, 15 and 16 tokens/s, and 19 and 33 with this value; with 0, half of that when idle.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    from xllamacpp import CommonParams, Server

    params = CommonParams()
    params.model.path = weights
    params.model_alias = {alias}  # Else the model's name is the file's.
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * CONTEXT
    params.cpuparams.n_threads = threads(os.cpu_count() or 1, os.getloadavg()[0])
    params.use_jinja = True  # No tools without.
    params.endpoint_metrics = True
    params.ui = False
    params.cors_origins = ""  # No web page may ask.
    # The prompt cache would grow to 8 GiB, some 35 MB for each prompt of 1,500 tokens, which the
    # measurement of memory would report as a leak.
    params.cache_ram_mib = 0
    params.cache_idle_slots = False
    params.verbosity = 2  # Warnings and errors.
    server = Server(params)
    print(f"{server.listening_address}/v1", flush=True)
    sys.stdin.read()  # Ends with the parent, however that ends.


def threads(cores: int, load: float) -> int:
    """How many threads compute, where so many others ran on these cores in the last minute.

    Threads wait for each other some hundred times a token. On two idle cores, two read 1.7 times
    and write 1.2 times as many tokens/s as one; on two busy ones, two took over 50 s of processor
    time for what one did in 6 s.
    """
    return min(THREADS, cores) if load < cores else 1


if __name__ == "__main__":
    # Ctrl-C reaches every process of the terminal; the parent ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(*sys.argv[1:])
    os._exit(0)
