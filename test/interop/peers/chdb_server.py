"""Answers HTTP requests like ClickHouse, with its engine: a body is a query and the data that it inserts."""

import gzip
import re
import sys
from os import path
from http.server import BaseHTTPRequestHandler, HTTPServer

from chdb.session import Session

session = Session(sys.argv[1])
rows = path.join(path.dirname(sys.argv[1]), "rows")


def run(body):
    """Passes inserted data in a file: unlike a server, the engine would search it for the end of the query."""
    insert = re.match(rb"(INSERT INTO \S+ \([^)]*\)) (SETTINGS .*? FORMAT \w+)\n", body)
    if insert:
        with open(rows, "wb") as file:
            file.write(body[insert.end() :])
        body = b"%s FROM INFILE '%s' %s" % (insert[1], rows.encode(), insert[2])
    return session.query(body, "TabSeparated").bytes()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        try:
            result, status = run(body), 200
        except Exception as error:
            result, status = str(error).encode(), 500
        self.send_response(status)
        self.send_header("Content-Length", str(len(result)))
        self.end_headers()
        self.wfile.write(result)

    def log_message(self, *_):
        pass


server = HTTPServer(("localhost", 0), Handler)
print("listening on", server.server_port, flush=True)
server.serve_forever()
