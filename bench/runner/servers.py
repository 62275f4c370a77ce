# SPDX-License-Identifier: BSD-2-Clause
"""Servers under an allocator: their command lines, and clients that ask the same of each and end them."""
import glob
import hashlib
import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import time

REDIS = ["redis-server", "--unixsocket", "socket", "--port", "0", "--save", "", "--appendonly", "no",
         "--enable-debug-command", "yes"]
NGINX = ["/usr/sbin/nginx", "-p", ".", "-c", "nginx.conf"]
MEMCACHED = ["memcached", "-u", "root", "-s", "socket", "-m", "64", "-t", "1"]


def postgres_binary():
    return max(glob.glob("/usr/lib/postgresql/*/bin/postgres"), default="postgres")


def connect(path):
    """To a server that is starting."""
    for _ in range(500):
        try:
            client = socket.socket(socket.AF_UNIX)
            client.connect(path)
            return client
        except OSError:
            client.close()
            time.sleep(0.02)
    raise OSError(f"{path}: no server after 10 s")


def process_of(client):
    """The server's process id."""
    pid = int.from_bytes(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4], "little", signed=True)
    if pid <= 1:
        raise OSError("the server's process id is not known")
    return pid


def resident(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * 4096


def redis(folder, feed, after_flush):
    path = f"{folder}/socket"
    pid = process_of(connect(path))

    def ask(*words):
        return subprocess.run(["redis-cli", "-s", path, *words], capture_output=True, text=True, check=True).stdout

    def used():
        return int(ask("INFO", "memory").split("used_memory:")[1].split()[0])

    before, used_before = resident(pid), used()
    with open(f"{folder}/../{feed}", "rb") as commands:
        subprocess.run(["redis-cli", "-s", path, "--pipe"], stdin=commands, capture_output=True, check=True)
    text, live, peak = ask("DEBUG", "DIGEST") + ask("DBSIZE"), used() - used_before, resident(pid) - before
    more = {}
    if after_flush:
        ask("FLUSHALL")
        time.sleep(1)
        left = max(0, resident(pid) - before)
        more = {"peak_of_used": (peak * 100 / live, "% of used", 105), "after_flushall": (left * 100 / live, "% of used", 12)}
    subprocess.run(["redis-cli", "-s", path, "SHUTDOWN", "NOSAVE"], capture_output=True)
    return text, more


def redis_list(folder):
    return redis(folder, "list.resp", False)


def redis_set(folder):
    return redis(folder, "set.resp", True)


def nginx_configuration(folder):
    shutil.copy(f"{folder}/../page.html", f"{folder}/page.html")
    os.mkdir(f"{folder}/temporary")
    places = "".join(f"{kind}_temp_path temporary/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(f"{folder}/nginx.conf", "w") as f:
        f.write(f"""daemon off; master_process off; pid pid; error_log errors;
events {{}}
http {{ access_log off; keepalive_requests 100000; gzip on; gzip_types text/plain; gzip_comp_level 1; {places}
server {{ listen unix:socket; root {folder}; }} }}
""")


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = connect(self.host)


def nginx(folder):
    """600 pages, every other one compressed, 20 of them over each connection."""
    digest = hashlib.sha256()
    server = Unix(f"{folder}/socket")
    pid = process_of(connect(f"{folder}/socket"))
    for turn in range(600):
        if turn % 20 == 0:
            server.close()
        server.request("GET", "/page.html", headers={"Host": "bench", "Accept-Encoding": "gzip" if turn % 2 else "identity"})
        answer = server.getresponse()
        if answer.status != 200:
            raise http.client.HTTPException(f"nginx answers {answer.status}")
        digest.update(answer.read())
    server.close()
    os.kill(pid, signal.SIGQUIT)
    return digest.hexdigest(), {}


def memcached(folder):
    """150 000 values are set and read back, in pipelines of 100."""
    rng, digest = random.Random(3), hashlib.sha256()
    client = connect(f"{folder}/socket")
    answers = client.makefile("rb")
    for turn in range(1500):
        keys = [rng.randrange(20000) for _ in range(100)]
        client.sendall(b"".join(b"set k%d 0 0 %d noreply\r\n%b\r\n" % (k, 20 + k % 900, b"v" * (20 + k % 900)) for k in keys))
        client.sendall(b"get " + b" ".join(b"k%d" % k for k in keys) + b"\r\n")
        for line in iter(answers.readline, b"END\r\n"):
            if not line:
                raise EOFError("memcached closed the connection")
            digest.update(line)
    os.kill(process_of(client), signal.SIGTERM)
    return digest.hexdigest(), {}
