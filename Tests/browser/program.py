"""The program under test, a receiver of its webhooks, and a browser that looks at its pages."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get('HIREWIRE_BINARY') or str(ROOT / '.build' / 'debug' / 'hirewire')
MARKUP = '<script>window.broken = 1</script><img src=x onerror="window.broken = 2">'


def wait_until(condition, seconds=10, what='what was waited for'):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f'{what} did not happen in {seconds} s')


class Program:
    """A `hirewire serve` with the demo's data, on free ports, in a folder of its own."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix='hirewire-browser-')
        self.database = os.path.join(self.folder.name, 'pages.db')
        command = [BINARY, 'serve', '--demo', '--json', '--port', '0', '--operator-port', '0', '--database', self.database,
                   '--webhook-allow-http', '--webhook-allow-cidr', '127.0.0.0/8', '--log-level', 'warning', '--access-log', 'off']
        environment = {name: value for name, value in os.environ.items() if not name.startswith('HIREWIRE_')}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        ready = json.loads(self.process.stdout.readline())
        self.public, self.operator = ready['public'], ready['operator']
        self.key, self.token = ready['key'], ready['operator_token']

    def command(self, *words):
        done = subprocess.run([BINARY, *words, '--database', self.database, '--json'], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def import_records(self, kind, *records):
        path = os.path.join(self.folder.name, kind + '.ndjson')
        with open(path, 'w') as file:
            file.writelines(json.dumps(record) + '\n' for record in records)
        return self.command('import', kind, path)

    def api(self, path, key):
        """The status and the JSON that the public API answers."""
        request = urllib.request.Request(self.public + path, headers={'Authorization': f'Bearer {key}'})
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.process.stdout.close()
        self.folder.cleanup()


class Receiver:
    """Takes deliveries and keeps them; answers 200, or 500 where the address asks for it, with markup that no page may take for its own."""

    def __init__(self):
        self.requests = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                receiver.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
                answer = f'<!doctype html><h1>{MARKUP}</h1>'.encode()
                self.send_response(500 if 'answers=500' in self.path else 200)
                self.send_header('Content-Type', 'text/html')
                self.send_header('X-Markup', MARKUP)
                self.send_header('Content-Length', str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}/hook'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def verifies(request, secret):
        """What the Standard Webhooks specification says of a signature."""
        headers, body = request
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix('whsec_'))
        expected = 'v1,' + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return expected in headers['webhook-signature'].split(' ')

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
