"""Mails one by one through the SMTP adapter to the stand-in on PostgreSQL, beside bare pipelined sockets in the same run.

    python -m benchmarks.smtp [--mails 40000] [--processes 2]

The floor is a process that writes one ready-made mail of the same size again and again over as many sessions, each text together
with the next envelope, and reads the replies: no database, no rendering, no last look.
"""

from __future__ import annotations

import argparse
import selectors
import socket
import time

from benchmarks.instance import Instance, instance
from benchmarks.one_by_one import send_all

SESSIONS = 8


def main() -> None:
    """Run both and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=40_000)
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    with instance(database="postgresql") as made:
        made.run("-m", "benchmarks.scene", "--mails", str(args.mails), "--mail-vendor", "smtp", "--relay", f"127.0.0.1:{made.lab.smtp}")
        size = _size(made)
        before = floor(made.lab.smtp, args.mails, size)
        made.lab.post("/_lab/reset")
        made.manage("send_campaign", "mails", "--yes", "--no-wait", "--as", "bo")
        ours, spent, connections = send_all(made, args.mails, processes=args.processes)
        after = floor(made.lab.smtp, args.mails, size)
        print(f"bare sockets {before:>9,.0f} and {after:,.0f} mails/s of {size / 1000:.1f} kB, before and after")
        print(f"OMNI         {ours:>9,.0f} mails/s  {2 * ours / (before + after):.2f} of them, {connections} connections")
        print("CPU a mail   " + ", ".join(f"{name} {each:.0f} µs" for name, each in spent.items()))


def _size(made: Instance) -> int:
    """Bytes of one mail as it travels."""
    return int(made.run("-m", "benchmarks.scene", "--size"))


def floor(port: int, many: int, size: int) -> float:
    """Mails a second over bare sockets."""
    line = b"x" * 74 + b"\r\n"
    text = b"Subject: floor\r\nMessage-ID: <floor@example.com>\r\n\r\n" + line * (size // len(line)) + b".\r\n"
    envelope = b"MAIL FROM:<hello@wayfare.example>\r\nRCPT TO:<floor@example.com>\r\nDATA\r\n"
    waiting, began = selectors.DefaultSelector(), time.monotonic()
    left = {}
    for number in range(SESSIONS):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.recv(4096)
        sock.sendall(b"EHLO floor\r\n")
        sock.recv(4096)
        sock.sendall(envelope)
        left[sock] = [many // SESSIONS + (number < many % SESSIONS), b""]
        waiting.register(sock, selectors.EVENT_READ)
    while left:
        for key, _ in waiting.select():
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            mails, got = left[sock]
            got += sock.recv(65_536)
            if b"354 " in got and got.endswith(b"\r\n"):
                mails, got = mails - 1, b""
                sock.sendall(text + envelope if mails else text)
            elif not mails and got.endswith(b"\r\n"):
                waiting.unregister(sock)
                sock.close()
                del left[sock]
                continue
            left[sock] = [mails, got]
    return many / (time.monotonic() - began)


if __name__ == "__main__":
    main()
