#!/usr/bin/env python3
"""The GitHub of the demo: as much of REST and GraphQL as gh needs to open a pull request, and a yes to every other write.

usage: github.py DIRECTORY

Accepts the one token that is in DIRECTORY/github-token. Writes its port to DIRECTORY/github-port, and each request, with what it was
authenticated with, to DIRECTORY/github-requests. Listens on 127.0.0.1 only, behind nginx.
"""
import http.server
import json
import pathlib
import sys

REPOSITORY = {
    "id": "R_web", "node_id": "R_web", "name": "web", "full_name": "acme/web", "nameWithOwner": "acme/web",
    "owner": {"id": "O_acme", "login": "acme"}, "description": "What customers see", "private": True, "archived": False,
    "hasIssuesEnabled": True, "hasWikiEnabled": True, "viewerPermission": "WRITE", "parent": None,
    "defaultBranchRef": {"name": "main"}, "mergeCommitAllowed": True, "rebaseMergeAllowed": True, "squashMergeAllowed": True,
    "pullRequests": {"nodes": []},
}
OPENED = {"id": "PR_1", "url": "https://github.com/acme/web/pull/1"}


class GitHub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        sent = self.headers.get("Authorization", "")
        with (directory / "github-requests").open("a") as record:
            record.write(json.dumps([self.command, self.path, sent, body]) + "\n")
        real = (directory / "github-token").read_text().strip()
        if sent.partition(" ")[2] != real:
            self.send(401, {"message": "Bad credentials"})
        elif self.path == "/graphql":
            self.send(200, {"data": self.graphql(json.loads(body)["query"])})
        elif self.command != "GET":
            self.send(201, {"message": "done"})
        elif self.path == "/repos/acme/web/readme":
            self.send(200, {"name": "README.md", "encoding": "base64", "content": "IyBXZWIK"})
        else:
            # An upstream that shows what it was sent, as many do when they are debugged.
            self.send(200, REPOSITORY | {"debug": {"authorization": sent}})

    def graphql(self, query):
        if "createPullRequest" in query:
            return {"createPullRequest": {"pullRequest": OPENED}}
        return {"repository": REPOSITORY, "viewer": {"login": "acme-bot"}}

    def send(self, status, document):
        octets = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, *_):
        pass

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer


directory = pathlib.Path(sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
(directory / "github-port.new").write_text(str(server.server_port))
(directory / "github-port.new").rename(directory / "github-port")
server.serve_forever()
